// Package peers measures millstream against other milter libraries, side by side
// in one run. It is a module of its own, so that who uses millstream does not get
// them.
//
// Each peer is a server in a process of its own that does the same job: it takes
// every event and adds one header.
//
//	millstream  this project
//	gomilter    github.com/d--j/go-milter: a goroutine for each connection
//	libmilter   libmilter of Sendmail, in C: threads, in a pool as Debian builds it
//	epoll       the floor: a bare loop that decodes nothing and keeps no state
//
// With -addr they are told where to listen, and with -stream to ask the MTA to wait
// for no answer but that to the end of the message. libmilter is left out where its
// header or a C compiler is missing.
//
// drive starts them in turn, pinned to one CPU, loads them from another, and prints
// what a message cost the server in CPU time. It also measures millstream by itself:
//
//	make growth      how that cost grows with sessions, bodies, headers, handlers
//	                 and idle sessions, as tables and as plots in an HTML file
//	make fairness    how evenly sessions are served, and what normal messages feel
//	                 of large ones and of functions that take their time
package peers
