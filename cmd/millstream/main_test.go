package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"millstream/netio/mta"
	"millstream/protocol"
)

// TestMain runs the program itself where a test asks for it.
func TestMain(m *testing.M) {
	if os.Getenv("MILLSTREAM_TEST_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// program is a running program.
type program struct {
	*exec.Cmd
	out    *bufio.Reader
	mu     sync.Mutex
	errOut bytes.Buffer
}

func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.errOut.Write(b)
}

func (p *program) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.errOut.String()
}

// start starts the program with arguments.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	p := &program{Cmd: exec.CommandContext(ctx, os.Args[0], args...)}
	p.Env = append(os.Environ(), "MILLSTREAM_TEST_MAIN=1", "XDG_RUNTIME_DIR="+t.TempDir())
	p.Stderr = p
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// until reads the output up to a line that contains text.
func (p *program) until(t *testing.T, text string) string {
	t.Helper()
	var all strings.Builder
	for {
		line, err := p.out.ReadString('\n')
		all.WriteString(line)
		if strings.Contains(line, text) {
			return all.String()
		}
		if err != nil {
			t.Fatalf("no %q in the output:\n%s%s", text, &all, p.log())
		}
	}
}

// exit waits for the end and returns the exit status.
func (p *program) exit() int {
	_, _ = io.Copy(io.Discard, p.out)
	_ = p.Wait()
	return p.ProcessState.ExitCode()
}

// connect connects to a socket as an MTA.
func connect(t *testing.T, socket string) *mta.Conn {
	t.Helper()
	c, err := mta.Dial(t.Context(), socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, _, err := c.Negotiate(protocol.Options{Version: 6, Actions: protocol.ActionsAll, Steps: protocol.StepsAll}); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestServe does a message with the embedded default, and stops it with a session
// that stays for a while.
func TestServe(t *testing.T) {
	socket := "unix:" + filepath.Join(t.TempDir(), "s")
	p := start(t, "serve", "-p", socket)
	hints := p.until(t, "INPUT_MAIL_FILTER")
	for _, want := range []string{"smtpd_milters = " + socket, "milter_default_action", "S=" + socket} {
		if !strings.Contains(hints, want) {
			t.Errorf("no %q in\n%s", want, hints)
		}
	}
	c := connect(t, socket)
	changes := send(t, c, "Q42")
	if len(changes) != 1 || string(changes[0].Name) != defaultHeader || !strings.Contains(string(changes[0].Value), "qid=Q42") {
		t.Errorf("changes %v", changes)
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the socket is gone", func() bool { _, err := os.Lstat(socket[5:]); return err != nil })
	send(t, c, "Q43") // the session goes on
	_ = c.Close()
	if status := p.exit(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	for _, want := range []string{"msg=message session=1 qid=Q42", "qid=Q43", "stopping: no new connections", "msg=stopped"} {
		if !strings.Contains(p.log(), want) {
			t.Errorf("no %q in\n%s", want, p.log())
		}
	}
}

// send does a message and returns the changes to it.
func send(t *testing.T, c *mta.Conn, queueID string) []protocol.Answer {
	t.Helper()
	if err := c.Send(&protocol.MailFrom{Addr: protocol.View("<a@example.com>")}); err != nil {
		t.Fatal(err)
	}
	if err := c.Send(&protocol.RcptTo{Addr: protocol.View("<b@example.net>")}); err != nil {
		t.Fatal(err)
	}
	final, changes, err := c.Do(&protocol.EndOfMessage{}, protocol.NewMacro(protocol.CodeEndOfMessage, "i", queueID))
	if err != nil || final.Status() != protocol.StatusContinue {
		t.Fatalf("answer %v, %v", final.Status(), err)
	}
	return changes
}

func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !so(); {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// TestSecondSignal checks that who cannot wait need not.
func TestSecondSignal(t *testing.T) {
	socket := "unix:" + filepath.Join(t.TempDir(), "s")
	p := start(t, "serve", "-p", socket)
	p.until(t, "INPUT_MAIL_FILTER")
	connect(t, socket)
	_ = p.Process.Signal(syscall.SIGINT)
	waitFor(t, "it is stopping", func() bool { return strings.Contains(p.log(), "stopping:") })
	_ = p.Process.Signal(syscall.SIGTERM)
	if p.exit() == 0 {
		t.Error("the second signal was waited out")
	}
}

// TestGrace checks that sessions which stay are closed in the end.
func TestGrace(t *testing.T) {
	socket := "unix:" + filepath.Join(t.TempDir(), "s")
	p := start(t, "serve", "-p", socket, "--grace", "100ms", "--log-format", "json")
	p.until(t, "INPUT_MAIL_FILTER")
	connect(t, socket)
	_ = p.Process.Signal(syscall.SIGTERM)
	if status := p.exit(); status != 0 {
		t.Errorf("exit status %d\n%s", status, p.log())
	}
}

// TestMistakes checks that mistakes are told with what is wrong, and an exit status.
func TestMistakes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args   string
		status int
		text   string
	}{
		{"serve --no-such-flag", 2, "no-such-flag"},
		{"serve --log-format xml", 2, "xml"},
		{"serve --log-level loud", 2, "loud"},
		{"serve --unix-mode rw", 2, "rw"},
		{"serve -p " + file, 1, "not a socket"},
		{"serve -p inet:nonsense@127.0.0.1", 1, "nonsense"},
		{"nonsense", 1, "nonsense"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			p := start(t, strings.Fields(tt.args)...)
			if status := p.exit(); status != tt.status || !strings.Contains(p.log(), tt.text) {
				t.Errorf("exit status %d, want %d with %q:\n%s", status, tt.status, tt.text, p.log())
			}
		})
	}
}

// TestVersion checks what the program says of itself.
func TestVersion(t *testing.T) {
	p := start(t, "version")
	p.until(t, "milter protocol 2 to 6")
	if status := p.exit(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}
