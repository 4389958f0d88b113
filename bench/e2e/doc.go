// Package e2e tests the server against real mail servers: Postfix and Sendmail
// pass it real messages, and a sink behind them tells what became of each.
//
//	client ──SMTP──▶ Postfix or Sendmail ──SMTP──▶ sink
//	                        │
//	                      milter
//	                        ▼
//	                 a filter of this package
//
// Every mail server is a private instance: its own configuration, queue and
// ports in a temporary directory, listening on the loopback interface only. It
// ends with its test, and with the test process if that is killed. The same
// tables run against both servers, over Unix and TCP sockets; where the two
// differ, the table says so.
//
// The scripts in testdata/miltertest are in the Lua of miltertest(8). They speak
// the milter protocol to the server themselves.
//
// What each mail server tells a milter is kept in testdata/flows, as session
// scripts of package protocol/script: a recorder stands between the two and
// writes down every packet. Each flow is recorded again, to notice a mail server
// that does otherwise, and played to the server without one.
//
// # Running them
//
//	sh bench/e2e/install.sh             brings the mail servers and miltertest
//	go test -race ./bench/e2e           everything; some minutes
//	go test -short ./bench/e2e          fewer messages in the load test
//	go test -run TestMTA/postfix-unix/load -v ./bench/e2e
//	go test -run TestFlows ./bench/e2e -update
//	                                    keeps the flows as they are now
//
// Tests of other packages can have a Postfix too: see [StartPostfix].
//
// What is not installed is skipped with a reason, and so are the mail servers for
// anybody but root. A test that fails shows the log of its mail server.
package e2e
