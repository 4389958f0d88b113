package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"millstream/handlers"
	"millstream/netio"
	"millstream/protocol"
)

// serveFilter serves a filter for a test and returns its socket.
func serveFilter(t *testing.T, hs ...handlers.Handler) string {
	t.Helper()
	socket := "unix:" + filepath.Join(t.TempDir(), "s")
	server, err := netio.Listen(netio.Config{Listen: []string{socket}, Loops: 1, Grace: -1}, handlers.Shared(handlers.Chain(hs...)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return socket
}

// A ran is a program that has run.
type ran struct {
	out, errOut string
	status      int
}

// runMillstream runs the program.
func runMillstream(t *testing.T, in string, args ...string) ran {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, os.Args[0], args...)
	var out, errOut bytes.Buffer
	c.Env = append(os.Environ(), "MILLSTREAM_TEST_MAIN=1", "GORACE=atexit_sleep_ms=0") // the race detector would wait
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(in), &out, &errOut
	if err := c.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return ran{out.String(), errOut.String(), c.ProcessState.ExitCode()}
}

// has checks that texts are in the output.
func (r ran) has(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.out, text) {
			t.Errorf("no %q in\n%s%s", text, r.out, r.errOut)
		}
	}
}

// TestSendOldMTA checks that an old MTA is acted as one.
func TestSendOldMTA(t *testing.T) {
	watch := handlers.Chain(
		handlers.On(func(*handlers.Session, *protocol.Data) handlers.Reply { return handlers.Reject }), // does not come
		handlers.On(func(_ *handlers.Session, n *handlers.Negotiation) handlers.Reply {
			if n.Offer() != (protocol.Options{Version: 2, Actions: protocol.ActionAddHeaders, Steps: 0x7f}) {
				return handlers.Reject
			}
			return handlers.Continue
		}),
		handlers.Need(handlers.KindHelo),
		atEnd(handlers.Continue, func(m *handlers.Message) { m.AddHeader("X", "y") }),
	)
	for _, as := range []string{"postfix", "sendmail"} {
		got := runMillstream(t, "", "send", "-p", serveFilter(t, watch), "--protocol", "2", "--actions", "add-headers", "--mta", as)
		got.has(t, "as from "+as, "Version      2 of 2\nActions      add-headers\n", "Macros       as the MTA likes",
			"data                not in version 2", "connect             not wanted", "+X: y\n")
		if got.status != 0 {
			t.Errorf("exit status %d\n%s", got.status, got.errOut)
		}
	}
}

// TestSendLeadingSpace checks who writes the space behind the colon.
func TestSendLeadingSpace(t *testing.T) {
	seen := make(chan string, 100)
	filter := handlers.Chain(
		handlers.On(func(_ *handlers.Session, n *handlers.Negotiation) handlers.Reply {
			n.SetSteps(n.Steps() | protocol.StepHeaderLeadingSpace)
			return handlers.Continue
		}),
		handlers.Observe(func(_ *handlers.Session, h *protocol.Header) { seen <- string(h.Value) }),
		atEnd(handlers.Continue, func(m *handlers.Message) { m.AddHeader("X", "y") }),
	)
	for args, want := range map[string][2]string{"--steps=all": {"  v", "+X:y\n"}, "--steps=-header-leading-space": {" v", "+X: y\n"}} {
		got := runMillstream(t, "A:  v\n\nbody\n", "send", "-p", serveFilter(t, filter), args, "-")
		got.has(t, want[1], "header")
		if value := <-seen; value != want[0] {
			t.Errorf("%s: value %q", args, value)
		}
	}
}

// TestSendMacros checks what a filter hears of macros, the client and the envelope.
func TestSendMacros(t *testing.T) {
	heard := make(chan string, 1)
	filter := handlers.Chain(
		handlers.On(func(_ *handlers.Session, n *handlers.Negotiation) handlers.Reply {
			n.RequestMacros(protocol.StageMail, "auth_authen", "mail_addr")
			n.RequestMacros(protocol.StageHelo)
			return handlers.Continue
		}),
		handlers.Need(handlers.KindConnect, handlers.KindHelo, handlers.KindEnvelopeFrom, handlers.KindEnvelopeRecipient),
		handlers.On(func(s *handlers.Session, _ *handlers.Message) handlers.Reply {
			host, addr := s.Client()
			list := []string{host, addr.String(), s.Helo()}
			for _, name := range []string{"auth_authen", "mail_addr", "rcpt_mailer", "i", "own"} {
				list = append(list, s.Macro(name))
			}
			heard <- strings.Join(list, " ")
			return handlers.Continue
		}),
	)
	got := runMillstream(t, "", "send", "-p", serveFilter(t, filter), "--qid", "Q7", "--client-name", "mx", "--client-addr", "[2001:db8::1]:25",
		"--helo", "h", "--macro", "{auth_authen}=joe", "--macro", "rcpt:rcpt_mailer=local", "--macro", "own=1=1")
	got.has(t, "Macros       helo: none\n             envelope-from: auth_authen mail_addr\n",
		"connect             not answered          -  mx inet6:25@2001:db8::1\n")
	const want = "mx inet6:25@2001:db8::1 h joe sender@example.org local Q7 1=1"
	select {
	case list := <-heard:
		if list != want {
			t.Errorf("heard %q", list)
		}
	default:
		t.Errorf("nothing was heard\n%s%s", got.out, got.errOut)
	}
}

func TestSendHelp(t *testing.T) {
	got := runMillstream(t, "", "send", "--help")
	got.has(t, "Examples:", "millstream send --protocol 2", "--client-addr", "6  quarantined")
	if got.status != 0 {
		t.Errorf("exit status %d", got.status)
	}
}
