package bench

import (
	"log/slog"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"millstream/actors"
	"millstream/handlers"
	"millstream/handlers/greylist"
	"millstream/handlers/store"
	"millstream/handlers/store/memory"
	"millstream/handlers/store/redis"
	"millstream/handlers/store/redistest"
	"millstream/handlers/when"
	"millstream/protocol"
)

// greylisted returns a session of a client that a greylist on a store is asked about,
// where an expression holds. The MTA is asked for a macro by others, and so for the one that
// tells who has logged in.
func greylisted(t *testing.T, st store.Store, delay time.Duration, expression string) *actors.Offline {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	settings := greylist.Defaults()
	settings.Header, settings.OnLocal, settings.Delay = "X-Greylist", "delay", delay
	h, err := greylist.New(settings, nil, st, nil, quiet)
	if err != nil {
		t.Fatal(err)
	}
	p, err := when.Compile(expression, nil)
	if err != nil {
		t.Fatal(err)
	}
	if h, err = when.Handler(p, h); err != nil {
		t.Fatal(err)
	}
	cfg := actors.Config{Log: quiet, SlowInline: -1}
	cfg.Macros.Add(protocol.StageMail, "i")
	o, err := actors.NewOffline(cfg, handlers.Shared(handlers.Named("greylist", h)))
	if err != nil {
		t.Fatal(err)
	}
	offer := &protocol.Negotiate{Offer: protocol.Options{Version: protocol.Version, Actions: protocol.ActionsAll, Steps: protocol.StepsAll}}
	if err := o.Feed(offer.Append(nil)); err != nil {
		t.Fatal(err)
	}
	code, body, _, err := protocol.Frame(o.Output(), math.MaxInt32)
	if err != nil {
		t.Fatal(err)
	}
	agreed, err := protocol.DecodeAnswer(code, body)
	if macros := agreed.Macros[protocol.StageMail]; err != nil || !slices.Contains(macros, "auth_authen") {
		t.Errorf("macros %v do not tell who has logged in: %v", macros, err)
	}
	answersTo(t, o, &protocol.Connect{Host: protocol.View("mx.example.com"), Addr: protocol.Addr{
		Family: protocol.FamilyInet, IP: netip.MustParseAddr("192.0.2.7"), Port: 25,
	}})
	return o
}

// A session asks the MTA for no more than the key needs, holds the recipients that are to
// come again and no others, and tells in the message how long it took.
func TestGreylistInSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, err := memory.Open(memory.Config{})
		if err != nil {
			t.Fatal(err)
		}
		o := greylisted(t, st, 5*time.Minute, `rcpt_domain == "example.net"`)
		defer o.HangUp(nil)
		const silent = protocol.StepNoHelo | protocol.StepNoData | protocol.StepNoHeaders | protocol.StepNoEndOfHeader |
			protocol.StepNoBody | protocol.StepNoUnknown |
			protocol.StepNoReplyConnect | protocol.StepNoReplyMail
		if steps := o.Session().Options().Steps; steps&silent != silent || steps.Has(protocol.StepNoConnect) {
			t.Errorf("steps %v, want %v", steps, silent)
		}
		mail := func(rcpts ...string) (answers []string) {
			commands := []protocol.Command{&protocol.MailFrom{Addr: protocol.View("<a@example.com>")}}
			for _, rcpt := range rcpts {
				commands = append(commands, &protocol.RcptTo{Addr: protocol.View("<" + rcpt + ">")})
			}
			return answersTo(t, o, append(commands, &protocol.EndOfMessage{})...)
		}
		check := func(got []string, want ...string) {
			t.Helper()
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		const wait = "reply-text 450 4.7.1 greylisted: please try again in 300 seconds"
		check(mail("b@example.net", "c@example.org"), wait, "continue", "continue")
		time.Sleep(10 * time.Minute)
		check(mail("b@example.net", "d@example.net"), "continue", wait, "add-header X-Greylist", "continue")
		check(mail("b@example.net"), "continue", "continue")
	})
}

// A store that may wait is asked off the event loop, but not for who has logged in.
func TestGreylistOffTheLoop(t *testing.T) {
	st, err := redis.Open(redis.Config{Addresses: []string{"/dev/null/none"}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	o := greylisted(t, st, 5*time.Minute, `client_port == 25`)
	defer o.HangUp(nil)
	const refused = "reply-text 450 4.7.1 greylisted: please try again in "
	if got := rcptAnswers(t, o, "i", "1"); !strings.HasPrefix(got, refused) {
		t.Errorf("a stranger: %q", got)
	}
	answersTo(t, o, &protocol.Abort{})
	if got := rcptAnswers(t, o, "i", "1", "auth_authen", "alice"); got != "continue" {
		t.Errorf("who has logged in: %q", got)
	}
}

// Two servers on one Redis know whom the other has met: who was held by one of them passes
// at the other, and is then known to both.
func TestGreylistServers(t *testing.T) {
	socket := redistest.Start(t).Socket
	const delay = 20 * time.Millisecond
	var servers [2]*actors.Offline
	for i := range servers {
		st, err := redis.Open(redis.Config{Addresses: []string{socket}, Timeout: redistest.Patience, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = st.Close() }()
		servers[i] = greylisted(t, st, delay, `client_port == 25`)
		defer servers[i].HangUp(nil)
	}
	mail := func(o *actors.Offline) string {
		t.Helper()
		answers := rcptAnswers(t, o)
		if strings.HasPrefix(answers, "continue") {
			answers += "; " + strings.Join(answersTo(t, o, &protocol.EndOfMessage{}), "; ")
		}
		answersTo(t, o, &protocol.Abort{})
		return answers
	}
	if got := mail(servers[0]); !strings.HasPrefix(got, "reply-text 450 4.7.1 greylisted") {
		t.Errorf("new: %q", got)
	}
	begun := time.Now()
	redistest.Eventually(t, "the delay is over", func() bool { return time.Since(begun) > delay })
	if got := mail(servers[1]); got != "continue; add-header X-Greylist; continue" {
		t.Errorf("at the other server: %q", got)
	}
	for _, o := range servers {
		redistest.Eventually(t, "it is known", func() bool { return mail(o) == "continue; continue" })
	}
}

// rcptAnswers sends the envelope of a message with one recipient, and returns the answers.
func rcptAnswers(t *testing.T, o *actors.Offline, macros ...string) string {
	t.Helper()
	answers := answersTo(t, o, protocol.NewMacro(protocol.CodeMailFrom, macros...),
		&protocol.MailFrom{Addr: protocol.View("<a@example.com>")}, &protocol.RcptTo{Addr: protocol.View("<b@example.net>")})
	o.Wait()
	return strings.Join(append(answers, answersTo(t, o)...), "; ")
}
