package bench

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"millstream/bench/e2e"
	"millstream/handlers"
	"millstream/handlers/archive"
	"millstream/handlers/when"
	"millstream/netio"
	"millstream/protocol"
)

// archiving returns a filter that archives to a new maildir, and the maildir. Results
// come when copies are where they stay.
func archiving(t *testing.T, set func(*archive.Settings)) (h handlers.Handler, dir string, results chan *handlers.Result) {
	t.Helper()
	s := archive.Defaults()
	s.Maildir = t.TempDir()
	set(s)
	h, err := archive.New(s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	results = make(chan *handlers.Result, 8)
	watch := handlers.Observe(func(_ *handlers.Session, r *handlers.Result) { results <- r })
	return handlers.Chain(handlers.Named("archive", h), watch), s.Maildir, results
}

// filesIn returns the files of a directory, by what they have.
func filesIn(t *testing.T, dir string) (files []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, string(data))
	}
	return files
}

// A session asks the MTA for what a copy needs and no more, copies what comes in one
// read, and leaves nothing of a message that is given up while it is written.
func TestArchiveInSession(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	h, dir, results := archiving(t, func(s *archive.Settings) { s.BCC = "archive@x.example" })
	o := negotiated(t, h)
	defer o.HangUp(nil)
	const want = protocol.StepNoConnect | protocol.StepNoHelo | protocol.StepNoData | protocol.StepNoEndOfHeader |
		protocol.StepNoUnknown | protocol.StepNoReplyRcpt | protocol.StepNoReplyHeader | protocol.StepSkip
	if steps := o.Session().Options().Steps; steps != want {
		t.Errorf("steps %v, want %v", steps, want)
	}
	body := strings.Repeat("0123456789abcd\r\n", 4000)
	message := []protocol.Command{
		&protocol.MailFrom{Addr: protocol.View("<a@x.example>")}, &protocol.RcptTo{Addr: protocol.View("<b@y.example>")},
		&protocol.Header{Name: protocol.View("Subject"), Value: protocol.View("hello")},
		&protocol.Body{Chunk: protocol.View(body)}, &protocol.Body{Chunk: protocol.View(body)}, &protocol.Body{Chunk: protocol.View(body)},
	}
	answersTo(t, o, append(message, &protocol.EndOfMessage{})...)
	if r := <-results; r.Status != protocol.StatusContinue || !slices.Equal(r.AddedRecipients, []string{"<archive@x.example>"}) {
		t.Errorf("%v, added %v", r.Status, r.AddedRecipients)
	}
	o.Wait()
	text := "X-Envelope-From: <a@x.example>\nX-Envelope-To: <b@y.example>\nSubject: hello\n\n" +
		strings.ReplaceAll(strings.Repeat(body, 3), "\r\n", "\n")
	if got := filesIn(t, filepath.Join(dir, "new")); len(got) != 1 || got[0] != text {
		t.Errorf("%d copies, or another text", len(got))
	}
	for range 20 {
		answersTo(t, o, append(message, &protocol.Abort{})...)
		if r := <-results; r.Status != protocol.StatusAbort {
			t.Errorf("status %v", r.Status)
		}
	}
	o.Wait()
	if rest := filesIn(t, filepath.Join(dir, "tmp")); len(rest) > 0 || len(filesIn(t, filepath.Join(dir, "new"))) != 1 {
		t.Errorf("%d files are left in tmp", len(rest))
	}
}

// Behind an expression there are copies of the messages for which it holds, and the MTA is
// told that no more is wanted of the others.
func TestArchiveWhen(t *testing.T) {
	h, dir, results := archiving(t, func(*archive.Settings) {})
	p, err := when.Compile(`rcpt == "b@y.example"`, nil)
	if err != nil {
		t.Fatal(err)
	}
	guarded, err := when.Handler(p, h)
	if err != nil {
		t.Fatal(err)
	}
	o := negotiated(t, guarded)
	defer o.HangUp(nil)
	for addr, first := range map[string]string{"<b@y.example>": "continue", "<c@y.example>": "skip"} {
		got := answersTo(t, o, &protocol.MailFrom{Addr: protocol.View("<a@x.example>")}, &protocol.RcptTo{Addr: protocol.View(addr)},
			&protocol.Header{Name: protocol.View("Subject"), Value: protocol.View("hello")}, &protocol.Body{Chunk: protocol.View("x\r\n")})
		if len(got) == 0 || got[len(got)-1] != first {
			t.Errorf("%s: answered %q, want %s at the body", addr, got, first)
		}
		answersTo(t, o, &protocol.EndOfMessage{})
		o.Wait()
	}
	if r := <-results; r.Recipients[0] != "<b@y.example>" || len(results) > 0 {
		t.Errorf("told of %v", r.Recipients)
	}
	want := "X-Envelope-From: <a@x.example>\nX-Envelope-To: <b@y.example>\nSubject: hello\n\nx\n"
	if got := filesIn(t, filepath.Join(dir, "new")); !slices.Equal(got, []string{want}) {
		t.Errorf("copies %q", got)
	}
}

// oddLetter has what copies may get wrong: fields without and with much white space, lines
// of dots, octets that are no text, and more than one piece of a body.
var oddLetter = "From: <from@from.example.org>\r\nDate: Sun, 22 Nov 2026 17:00:00 +0000\r\nMessage-Id: <odd@from.example.org>\r\n" +
	"Subject: a letter\r\nX-Two:  two spaces  \r\nX-Tab:\ttab\r\nX-Folded: a\r\n\tb\r\n  c\r\nX-Below:\r\n below\r\nX-Empty:\r\nX-Raw: \xe4\xff\r\n" +
	"\r\n.\r\n..\r\n\r\n \t\r\n\xe4\xff\x01\r\n" + strings.Repeat("a line that fills the body\r\n", 10_000) + "\r\n\r\n"

// What a real Postfix delivers is the copy, but for its own Received field; with
// exact_headers also where there is no space after the colon.
func TestArchivePostfix(t *testing.T) {
	for name, exact := range map[string]bool{"plain": false, "exact": true} {
		t.Run(name, func(t *testing.T) {
			h, dir, results := archiving(t, func(s *archive.Settings) { s.ExactHeaders = exact })
			path := filepath.Join(e2e.SocketDir(t), "milter")
			serveUntilEnd(t, path, h)
			postfix := e2e.StartPostfix(t, &net.UnixAddr{Name: path, Net: "unix"})
			letter := oddLetter
			if exact {
				letter = "X-Close:to it\r\nX-Blank: \r\nX-Far: \tfrom it\r\n" + letter
			}
			_, delivered := postfix.DeliverText(t, []byte(letter))
			<-results

			at := bytes.Index(delivered, []byte("X-Token:"))
			if at < 0 || !bytes.HasPrefix(delivered, []byte("Received: from")) {
				t.Fatalf("delivered %.300q", delivered)
			}
			want := "X-Envelope-From: <from@from.example.org>\nX-Envelope-To: <to@to.example.org>\n" +
				strings.ReplaceAll(string(delivered[at:]), "\r\n", "\n")
			got := filesIn(t, filepath.Join(dir, "new"))
			if len(got) != 1 || got[0] != want {
				t.Fatalf("%d copies; the copy begins\n%.900q\nwant\n%.900q", len(got), got, want)
			}
			if sent := strings.ReplaceAll(letter, "\r\n", "\n"); !strings.HasSuffix(want, sent) {
				t.Errorf("Postfix has changed the letter:\n%.600q", want)
			}
		})
	}
}

// serveUntilEnd serves a filter on a Unix socket until the test ends.
func serveUntilEnd(t *testing.T, path string, h handlers.Handler) {
	t.Helper()
	serveWith(t, netio.Config{Listen: []string{"unix:" + path}, UnixMode: 0o666, Grace: -1}, h)
}

// serveWith serves a filter, without a log, until the test ends.
func serveWith(t *testing.T, cfg netio.Config, h handlers.Handler) {
	t.Helper()
	cfg.Sessions.Log = slog.New(slog.DiscardHandler)
	server, err := netio.Listen(cfg, handlers.Shared(h))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}
