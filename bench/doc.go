// Package bench holds what looks at the program as a whole: measurements, tests
// against real MTAs, and tests of the shape of the source.
//
//	go test -run '^$' -bench . -benchmem ./bench    the codec, a session, a server
//	cmd/internal/config                             the handlers of a file, reading it, a reload: they stand there
//	bench/load                                      the load generator behind "millstream bench"
//	bench/e2e                                       Postfix and Sendmail with the program as their milter
//	bench/load/corpus, bench/load/report            what it sends, and how it tells what it saw
//	bench/peers                                     the same load against other milter libraries
//	bench/PERFORMANCE.md                            what a message costs, where, and what was tried
//
// Measurements are compared with benchstat over ten runs on a machine that does
// nothing else; "make bench" and "make bench-peers" run them. What a unit test
// can find out belongs beside the code it tests, not here.
//
// The tests of the source are rules that no compiler checks: which package may
// import which (imports_test.go), how long a file and a function may be, that an
// exported name is documented, and what stands at the top of the tree
// (shape_test.go). They read the files themselves, so that they see those for
// other systems too, and that a cached result is never older than a file.
package bench
