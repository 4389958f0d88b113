package main

import (
	"bytes"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"millstream/protocol"
)

// tracedScript is what is recorded of that.
const tracedScript = `# session 
-> negotiate steps=no-helo|skip
<- negotiate 6 actions=all steps=no-helo|skip
-> connect client.example unix:/mta
<- continue
-> mail <spam@example.com>
<- reject 550 5.7.1 not welcome
-> abort
-> macro mail i=Q1
-> mail <a@example.com> SIZE=7
<- continue
-> rcpt <b@example.net>
<- continue
-> body "Hello\r\n"
<- continue
-> end-of-message
<~ add-header X-Seen: Q1; session=
<- accept
-> quit
<- close
`

// TestTrace shows and records a session, and plays the record to two milters: the one
// that it is of, and another one.
func TestTrace(t *testing.T) {
	s, control := traceServer(t)
	file := filepath.Join(t.TempDir(), "case.txt")
	r := startTrace(t, traceFlags{control: control, queueIDs: []string{"Q1"}, output: file})
	deliverAll(t, s.socket, mail("Q2"))
	if err := converse(t.Context(), s.socket, tracedMail("<a@example.com>", []byte("Hello\r\n"))...); err != nil {
		t.Fatal(err)
	}
	r.wait(t)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := flatten(string(text)); got != tracedScript {
		t.Errorf("recorded\n%s", got)
	}
	checkMode(t, file, 0o600)
	dialog := regexp.MustCompile(`(?m)^ +\d+ `).ReplaceAllString(r.printed(), "")
	dialog = regexp.MustCompile(`; session=\d+; at=.*`).ReplaceAllString(dialog, "; session=")
	want := strings.Replace(tracedScript, "<~", "<-", 1) + "# the session is over\n"
	if got := flatten(dialog); got != want {
		t.Errorf("printed\n%s", got)
	}
	if got := runMillstream(t, "", "talk", "-p", s.socket, file); got.status != 0 {
		t.Errorf("played again: exit status %d\n%s", got.status, got.out)
	}
	other := talkFilter(t)
	if got := runMillstream(t, "", "talk", "-p", other, file); got.status != 1 {
		t.Errorf("played to another milter: exit status %d\n%s", got.status, got.out)
	}
	s.stop(t)
}

// flatten removes what is another one each time: the particulars of a session, and how
// the packets of one answer, or of one command, were read.
func flatten(text string) string {
	text = regexp.MustCompile(`(?m)^# session .*`).ReplaceAllString(text, "# session ")
	return strings.ReplaceAll(text, "\n+> ", "\n-> ")
}

// TestTraceSessions shows two sessions at once, records the commands of both, and is
// interrupted in a third.
func TestTraceSessions(t *testing.T) {
	s, control := traceServer(t)
	dir := t.TempDir()
	r := startTrace(t, traceFlags{control: control, output: dir, commands: true, rcpts: []string{"@EXAMPLE.net"}})
	body := bytes.Repeat([]byte("<&>0123456789"), 900) // of no short period, as it is written down
	body = append(body, '.')
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if err := converse(t.Context(), s.socket, tracedMail("<a@example.com>", body)...); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	waitFor(t, "both are over", func() bool { return strings.Count(r.printed(), "# the session is over") == 2 })
	c := connect(t, s.socket)
	for _, cmd := range []protocol.Command{&protocol.MailFrom{Addr: protocol.View("<>")}, &protocol.RcptTo{Addr: protocol.View("<c@example.net>")}} {
		if _, _, err := c.Do(cmd); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, "the third is shown", func() bool { return strings.Contains(r.printed(), "<c@example.net>") })
	r.cancel()
	r.wait(t)
	for line := range strings.Lines(r.printed()) {
		if !regexp.MustCompile(`^ +\d+ (->|\+>|<-|# )`).MatchString(line) || strings.Contains(line, "body") && !strings.HasSuffix(line, "… (11701 bytes)\n") {
			t.Errorf("line %q", line)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) != 3 {
		t.Fatalf("files %v, %v", files, err)
	}
	var cut int
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "<") && regexp.MustCompile(`(?m)^<`).Match(text) {
			t.Errorf("answers in\n%s", text)
		}
		cut += strings.Count(string(text), "# the session went on")
		checkMode(t, file, 0o600)
		if got := runMillstream(t, "", "talk", "-p", s.socket, "--record", file); got.status != 0 || !strings.Contains(got.out, "<- continue") {
			t.Errorf("played: exit status %d\n%s%s", got.status, got.out, got.errOut)
		}
	}
	if cut != 1 || !strings.Contains(r.errOut.String(), "but it went on") {
		t.Errorf("%d sessions went on:\n%s", cut, &r.errOut)
	}
	_ = c.Close()
	s.stop(t)
}

// TestTraceOnce shows the whole of one session and nothing of another one.
func TestTraceOnce(t *testing.T) {
	s, control := traceServer(t)
	r := startTrace(t, traceFlags{control: control, once: true, full: true})
	stays := connect(t, s.socket) // the first to match
	body := bytes.Repeat([]byte("0123456789abcdefghijklmnopqrstuvwxyz"), 20)
	if err := converse(t.Context(), s.socket, tracedMail("<a@example.com>", body[:700])...); err != nil {
		t.Fatal(err)
	}
	for _, cmd := range tracedMail("<z@example.com>", body)[4:8] {
		if _, _, err := stays.Do(cmd); err != nil {
			t.Fatal(err)
		}
	}
	_ = stays.Close() // which says quit
	r.wait(t)
	out := r.printed()
	if strings.Contains(out, "a@example.com") || strings.Count(out, "# session") != 1 || !strings.HasSuffix(out, "# the session is over\n") {
		t.Errorf("printed\n%s", out)
	}
	if !strings.Contains(out, `-> body "0123456789abcdefghijklmnopqrstuvwxyz"*20`) {
		t.Errorf("the body is shortened\n%s", out)
	}
	s.stop(t)
}

// TestTraceEnds has a server that stops while it is traced, and one whose admin pages
// tell nothing of sessions.
func TestTraceEnds(t *testing.T) {
	noVariables(t)
	control := filepath.Join(t.TempDir(), "c")
	s := startServe(t, serveFlags{control: control, admin: "127.0.0.1:0", adminGiven: true}, defaultFilter)
	if status, _ := fetch(t, http.MethodGet, "http://"+adminAddress(t, s)+traceTarget); status != http.StatusNotFound {
		t.Errorf("the admin pages answer with %d", status)
	}
	http.DefaultClient.CloseIdleConnections()
	r := startTrace(t, traceFlags{control: control})
	s.stop(t)
	if err := <-r.done; err == nil || !strings.Contains(err.Error(), "server has ended") {
		t.Errorf("the server stopped: %v", err)
	}
	if _, err := os.Lstat(control); err == nil {
		t.Error("the control socket is left")
	}
}

// TestTraceMistakes checks that mistakes are told with what is wrong.
func TestTraceMistakes(t *testing.T) {
	_, control := traceServer(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args   string
		status int
		text   string
	}{
		{"--client 192.0.2.0/33", 2, "192.0.2.0/33"},
		{"--client nowhere", 2, "no network"},
		{"--from=", 2, "--from is empty"},
		{"--qid=", 2, "--qid is empty"},
		{"--commands", 2, "needs --output"},
		{"-o " + file, 2, "not overwritten"},
		{"-o " + file + ".d/", 2, "no directory"},
		{"--control " + file + ".gone", 1, "no server listens at " + file + ".gone"},
		{"--control " + filepath.Dir(file), 1, "no server listens"},
		{"extra", 1, "extra"},
	} {
		args := strings.Fields(tt.args)
		if !strings.Contains(tt.args, "--control") {
			args = append(args, "--control", control)
		}
		got := runMillstream(t, "", append([]string{"trace"}, args...)...)
		if got.status != tt.status || !strings.Contains(got.errOut, tt.text) {
			t.Errorf("%s: exit status %d, want %d with %q:\n%s", tt.args, got.status, tt.status, tt.text, got.errOut)
		}
	}
	checkMode(t, file, fs.FileMode(0o644))
}
