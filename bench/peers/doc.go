// Package peers measures millstream against other milter libraries, side by side
// in one run. It is a module of its own, so that who uses millstream does not get
// them.
//
// Each peer is a server in a process of its own that does the same job: it takes
// every event and adds one header. drive starts them in turn, pinned to one CPU,
// loads them from another, and prints what a message cost the server in CPU time.
package peers
