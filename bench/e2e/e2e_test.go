package e2e

import "testing"

// TestMTA runs everything against every mail server, over both kinds of sockets.
func TestMTA(t *testing.T) {
	for _, p := range []program{postfix, sendmail} {
		for _, network := range []string{"unix", "tcp"} {
			t.Run(p.name+"-"+network, func(t *testing.T) { testRig(t, newRig(t, p, network)) })
		}
	}
}

// testRig runs the tests of one mail server.
func testRig(t *testing.T, r *rig) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *rig)
	}{
		{"change", testChanges},
		{"refuse", testRefusals},
		{"pass", testPasses},
		{"one-recipient", testOneRecipient},
		{"quarantine", testQuarantine},
		{"macros", testMacros},
		{"reset", testReset},
		{"several", testSeveral},
		{"leave", testQuit},
		{"unknown", testUnknown},
		{"large", testLarge},
		{"headers", testHeaders},
		{"recipients", testRecipients},
		{"utf8", testUTF8},
		{"load", testLoad},
	} {
		t.Run(test.name, func(t *testing.T) {
			r.mta.showLog(t)
			test.run(t, r)
		})
	}
}
