package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/protocol"
)

// TestSendFailures checks that what does not work is told with where and what to do.
func TestSendFailures(t *testing.T) {
	dir := t.TempDir()
	silent, err := net.Listen("unix", filepath.Join(dir, "silent"))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	rude, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer rude.Close()
	go func() {
		for {
			c, err := rude.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("220 mx.example.org ESMTP\r\n"))
			_ = c.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, c)
			c.Close()
		}
	}()
	refuses := serveFilter(t, handlers.On(func(*handlers.Session, *handlers.Negotiation) handlers.Reply { return handlers.Reject }))
	hangs := serveFilter(t, handlers.On(func(*handlers.Session, *protocol.MailFrom) handlers.Reply {
		return handlers.Progress(func(context.Context, handlers.Resolve) {})
	}))
	_, port, _ := net.SplitHostPort(rude.Addr().String())
	tests := []struct {
		args   string
		status int
		texts  []string
	}{
		{"-p unix:" + dir + "/none", 1, []string{"/none: connect: no such file", "is the milter running"}},
		{"-p unix:" + dir + "/silent --timeout 50ms", 1, []string{"no answer to negotiate", "before anything was agreed on", "--timeout"}},
		{"-p inet:" + port + "@127.0.0.1", 1, []string{"is it a milter"}},
		{"-p " + refuses, 1, []string{"negotiation failed: the milter answers reject", "not offered"}},
		{"-p " + hangs + " --timeout 2s", 1, []string{"after helo", "no answer to envelope-from", "--timeout"}},
		{"-p nonsense:1", 2, []string{"nonsense", "write inet:"}},
		{"-p fd:3", 2, []string{"inherited"}},
		{"--no-such-flag", 2, []string{"no-such-flag", "--help"}},
		{"one two", 2, []string{"one FILE"}},
		{"--protocol 1", 2, []string{"2 to 6"}},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			got := runMillstream(t, "", append([]string{"send"}, strings.Fields(tt.args)...)...)
			for _, text := range tt.texts {
				if !strings.Contains(got.errOut, text) {
					t.Errorf("no %q in\n%s", text, got.errOut)
				}
			}
			if got.status != tt.status || strings.Contains(got.out, "Verdict") {
				t.Errorf("exit status %d, want %d\n%s", got.status, tt.status, got.out)
			}
		})
	}
	got := runMillstream(t, "", "send", "-p", hangs, "--timeout", "2s", "--format", "json")
	var doc jsonReport
	if err := json.Unmarshal([]byte(got.out), &doc); err != nil || doc.ExitStatus != 1 || doc.Verdict != nil ||
		!strings.Contains(doc.Error, "no answer to envelope-from") || len(doc.Stages) != 2 {
		t.Errorf("%v\n%s", err, got.out)
	}
}

// TestSendInterrupted checks that who does not want to wait need not.
func TestSendInterrupted(t *testing.T) {
	here := make(chan struct{})
	socket := serveFilter(t, handlers.On(func(*handlers.Session, *protocol.MailFrom) handlers.Reply {
		close(here)
		return handlers.Progress(func(context.Context, handlers.Resolve) {})
	}))
	p := start(t, "send", "-p", socket)
	<-here
	_ = p.Process.Signal(os.Interrupt)
	if status := p.exit(); status != 1 || !strings.Contains(p.log(), "interrupted after helo") {
		t.Errorf("exit status %d\n%s", status, p.log())
	}
}
