package bench

import (
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"millstream/actors"
	"millstream/handlers"
	"millstream/handlers/access"
	"millstream/handlers/lists"
	"millstream/protocol"
)

// answersTo feeds commands to a session, and returns its answers.
func answersTo(t *testing.T, o *actors.Offline, commands ...protocol.Command) (answers []string) {
	t.Helper()
	var packets []byte
	for _, c := range commands {
		packets = c.Append(packets)
	}
	if err := o.Feed(packets); err != nil {
		t.Fatal(err)
	}
	for rest := o.Output(); len(rest) > 0; {
		code, body, n, err := protocol.Frame(rest, math.MaxInt32)
		if err != nil {
			t.Fatal(err)
		}
		a, err := protocol.DecodeAnswer(code, body)
		if err != nil {
			t.Fatal(err)
		}
		text := a.Code.String()
		if len(a.Name) > 0 {
			text += " " + a.Name.String()
		}
		answers, rest = append(answers, text), rest[n:]
	}
	return answers
}

// negotiated returns a session of a filter with an MTA that has offered everything.
func negotiated(t *testing.T, h handlers.Handler) *actors.Offline {
	t.Helper()
	o, err := actors.NewOffline(actors.Config{Log: slog.New(slog.DiscardHandler), SlowInline: -1}, handlers.Shared(h))
	if err != nil {
		t.Fatal(err)
	}
	offer := &protocol.Negotiate{Offer: protocol.Options{Version: protocol.Version, Actions: protocol.ActionsAll, Steps: protocol.StepsAll}}
	if got := answersTo(t, o, offer); !slices.Equal(got, []string{"negotiate"}) {
		t.Fatalf("negotiation: %v", got)
	}
	return o
}

// A session asks the MTA for what the rules need, answers by them, and does by a list
// that has changed without being told.
func TestAccessInSession(t *testing.T) {
	path := filepath.Join(t.TempDir(), "senders")
	write := func(lines string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(lines), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("bad@x.example REJECT 550 5.7.1 not 100% you\n")
	synctest.Test(t, func(t *testing.T) {
		set := lists.NewSet(lists.Config{Interval: time.Minute, Log: slog.New(slog.DiscardHandler)})
		h, err := access.New(&access.Settings{Rules: []access.Rule{
			{LookUp: "sender", Files: []string{path}, Action: "reject"},
			{LookUp: "recipient", Entries: []string{"drop@", "no@x.example REJECT 5.1.1 unknown"}, Action: "discard"},
		}}, set)
		if err != nil {
			t.Fatal(err)
		}
		if err := set.Open(); err != nil {
			t.Fatal(err)
		}
		defer set.Close()
		var results []*handlers.Result
		watch := handlers.Observe(func(_ *handlers.Session, r *handlers.Result) { results = append(results, r) })
		o := negotiated(t, handlers.Chain(handlers.Named("access", h), watch))
		defer o.HangUp(nil)
		const silent = protocol.StepNoConnect | protocol.StepNoHelo | protocol.StepNoData | protocol.StepNoHeaders |
			protocol.StepNoEndOfHeader | protocol.StepNoBody | protocol.StepNoUnknown
		if steps := o.Session().Options().Steps; steps&^protocol.StepSkip != silent {
			t.Errorf("steps %v, want %v", steps, silent)
		}
		mail := func(sender string) protocol.Command { return &protocol.MailFrom{Addr: protocol.View(sender)} }
		rcpt := func(addr string) protocol.Command { return &protocol.RcptTo{Addr: protocol.View(addr)} }
		check := func(got []string, want ...string) {
			t.Helper()
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		check(answersTo(t, o, mail("<bad@x.example>")), "reply-text 550 5.7.1 not 100% you")
		check(answersTo(t, o, mail("<good@x.example>"), rcpt("<drop@x.example>"), rcpt("<no@x.example>"), rcpt("<a@x.example>"), &protocol.EndOfMessage{}),
			"continue", "continue", "reply-text 554 5.1.1 unknown", "continue", "delete-recipient <drop@x.example>", "continue")

		write("good@x.example DISCARD\n")
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		check(answersTo(t, o, mail("<good@x.example>")), "discard")
		check(answersTo(t, o, mail("<bad@x.example>")), "continue")

		if len(results) < 3 || results[0].By != "access" || results[1].By != "" || results[2].By != "access" ||
			!slices.Equal(results[1].DeletedRecipients, []string{"<drop@x.example>"}) {
			t.Errorf("%d results", len(results))
		}
	})
}
