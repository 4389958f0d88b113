package main

import (
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/protocol"
)

// atEnd is a filter that answers at end-of-message.
func atEnd(reply handlers.Reply, changes func(*handlers.Message)) handlers.Handler {
	return handlers.On(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
		if changes != nil {
			changes(m)
		}
		return reply
	})
}

func addX(m *handlers.Message) { m.AddHeader("X", "y") }

var sendVerdicts = []struct {
	name    string
	filter  handlers.Handler
	args    string
	status  int
	verdict string // of --quiet
	text    []string
}{
	{"taken", atEnd(handlers.Continue, nil), "", 0, "taken", []string{
		"Verdict      taken, at end-of-message", "none: delivered as it was sent",
	}},
	{
		"accepted at once", handlers.On(func(*handlers.Session, *protocol.Connect) handlers.Reply { return handlers.Accept }),
		"", 0, "taken",
		[]string{"Verdict      taken, at connect"},
	},
	{
		"rejected", handlers.On(func(*handlers.Session, *protocol.MailFrom) handlers.Reply {
			return handlers.Reject.With(550, "5.7.1", "no", "100% no")
		}), "", exitRejected, "rejected: 550-5.7.1 no / 550 5.7.1 100% no", []string{
			"Verdict      rejected, at envelope-from\n             550-5.7.1 no\n             550 5.7.1 100% no\n",
			"envelope-from  reject",
		},
	},
	{
		"rejected in the end", atEnd(handlers.Reject, addX), "", exitRejected, "rejected", []string{
			"without a text; Postfix then says\n             550 5.7.1 Command rejected", "Not made     add-header       X: y",
		},
	},
	{
		"refused for now", atEnd(handlers.TempFail.With(451, "4.7.1", "later"), nil), "", exitTempFailed,
		"tempfailed: 451 4.7.1 later",
		[]string{"Verdict      tempfailed, at end-of-message\n             451 4.7.1 later"},
	},
	{
		"discarded", handlers.On(func(*handlers.Session, *protocol.Header) handlers.Reply { return handlers.Discard }),
		"", exitDiscarded, "discarded",
		[]string{"discarded, at header"},
	},
	{
		"quarantined", atEnd(handlers.Accept, func(m *handlers.Message) { m.Quarantine("bad\x7f") }), "", exitQuarantined,
		`quarantined: bad\x7f`,
		[]string{`Verdict      quarantined, at end-of-message: bad\x7f`, `Changes      quarantine       bad\x7f`},
	},
	{
		"no recipient is good", handlers.On(func(_ *handlers.Session, to *protocol.RcptTo) handlers.Reply {
			if strings.HasPrefix(string(to.Mailbox()), "a@") {
				return handlers.Reject
			}
			return handlers.TempFail.With(450, "", "wait")
		}), "--to a@example.com --to b@example.com", exitTempFailed, "tempfailed: 450 wait", []string{
			"Refused      <a@example.com>: reject", "Refused      <b@example.com>: tempfail 450 wait", "at envelope-recipient\n",
		},
	},
	{
		"one recipient is not good", handlers.On(func(_ *handlers.Session, to *protocol.RcptTo) handlers.Reply {
			if string(to.Addr) == "<a@example.com>" && to.Params.Strings()[0] == "NOTIFY=NEVER" {
				return handlers.Reject.With(550, "5.1.1", "unknown")
			}
			return handlers.Continue
		}), "--to a@example.com@NOTIFY=NEVER --to b@example.com@X", 0, "taken", []string{
			"Refused      <a@example.com>: reject 550 5.1.1 unknown", "envelope-recipient  continue",
		},
	},
	{
		"the body is skipped", handlers.Chain(atEnd(handlers.Accept, nil), handlers.On(func(*handlers.Session, *protocol.Body) handlers.Reply {
			return handlers.Skip
		})), "", 0, "taken", []string{"body                skip", "header              not wanted"},
	},
}

func TestSendVerdicts(t *testing.T) {
	for _, tt := range sendVerdicts {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"send", "-p", serveFilter(t, tt.filter)}, strings.Fields(tt.args)...)
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "com@", "com ") // a parameter
			}
			got := runMillstream(t, "", args...)
			got.has(t, tt.text...)
			if quiet := runMillstream(t, "", append(args, "--quiet")...); quiet.out != tt.verdict+"\n" || quiet.status != tt.status {
				t.Errorf("with --quiet %q, exit status %d", quiet.out, quiet.status)
			}
			if got.status != tt.status || got.errOut != "" {
				t.Errorf("exit status %d, want %d\n%s", got.status, tt.status, got.errOut)
			}
		})
	}
}
