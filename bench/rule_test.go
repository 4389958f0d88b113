package bench

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"millstream/actors"
	"millstream/handlers"
	"millstream/handlers/rule"
	"millstream/protocol"
)

// A session asks the MTA for what the rules need, answers by them, and changes messages
// as far as the MTA allows it.
func TestRulesInSession(t *testing.T) {
	var log bytes.Buffer
	h, err := rule.New(&rule.Settings{Rules: []rule.Rule{
		{When: `sender == "bad@x.example"`, Action: "reject", Code: 550, Text: "not 100% you, {{sender}}"},
		{When: `rcpt == "no@x.example"`, Action: "tempfail"},
		{When: `rcpt_domain == "old.example"`, RewriteRecipient: `{{split(rcpt, "@")[0]}}@new.example`, Continue: true},
		{When: `header("Subject") contains "invoice"`, Subject: "[ext]", Quarantine: "invoice", Sender: "a@new.example"},
	}}, nil, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	var results []*handlers.Result
	watch := handlers.Observe(func(_ *handlers.Session, r *handlers.Result) { results = append(results, r) })
	filter := handlers.Shared(handlers.Chain(handlers.Named("rule", h), watch))
	o, err := actors.NewOffline(actors.Config{Log: slog.New(slog.DiscardHandler), SlowInline: -1}, filter)
	if err != nil {
		t.Fatal(err)
	}
	defer o.HangUp(nil)

	offer := &protocol.Negotiate{Offer: protocol.Options{
		Version: protocol.Version, Actions: protocol.ActionsAll &^ protocol.ActionChangeFrom, Steps: protocol.StepsAll,
	}}
	if got := answersTo(t, o, offer); !slices.Equal(got, []string{"negotiate"}) {
		t.Fatalf("negotiation: %v", got)
	}
	const silent = protocol.StepNoConnect | protocol.StepNoHelo | protocol.StepNoData | protocol.StepNoReplyHeader |
		protocol.StepNoEndOfHeader | protocol.StepNoBody | protocol.StepNoUnknown
	if steps := o.Session().Options().Steps; steps&^protocol.StepSkip != silent {
		t.Errorf("steps %v, want %v", steps, silent)
	}
	mail := func(sender string) protocol.Command { return &protocol.MailFrom{Addr: protocol.View(sender)} }
	rcpt := func(addr string) protocol.Command { return &protocol.RcptTo{Addr: protocol.View(addr)} }
	subject := func(text string) protocol.Command {
		return &protocol.Header{Name: protocol.View("Subject"), Value: protocol.View(text)}
	}
	end := &protocol.EndOfMessage{}
	for _, tt := range []struct {
		commands []protocol.Command
		want     []string
	}{
		{[]protocol.Command{mail("<bad@x.example>")}, []string{"reply-text 550 5.7.1 not 100% you, bad@x.example"}},
		{
			[]protocol.Command{mail("<a@x.example>"), rcpt("<no@x.example>"), rcpt("<b@old.example>"), rcpt("<c@x.example>"), subject("your invoice"), end},
			[]string{
				"continue", "reply-text 451 4.7.1 try again later", "continue", "continue",
				"change-header Subject", "delete-recipient <b@old.example>", "add-recipient <b@new.example>", "quarantine invoice", "continue",
			},
		},
		{[]protocol.Command{mail("<a@x.example>"), rcpt("<c@x.example>"), subject("hello"), end}, []string{"continue", "continue", "continue"}},
	} {
		if got := answersTo(t, o, tt.commands...); !slices.Equal(got, tt.want) {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
	}
	if len(results) != 3 || results[0].By != "rule" || !results[1].Quarantined || !slices.Equal(results[1].AddedRecipients, []string{"<b@new.example>"}) {
		t.Errorf("%d results", len(results))
	}
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "rule=rule[3] change=sender needs=change-from") {
		t.Errorf("logged %s", text)
	}
}
