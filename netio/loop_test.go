package netio

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"millstream/actors"
	"millstream/handlers"
)

// idleServer returns a server that serves nobody, and its log.
func idleServer(t *testing.T) (*Server, *logText) {
	t.Helper()
	text := new(logText)
	log := slog.New(slog.NewTextHandler(text, nil))
	system, err := actors.NewSystem(actors.Config{Log: log}, handlers.Shared(everything()))
	mustDo(t, err)
	return &Server{log: log, system: system, stopping: make(chan struct{})}, text
}

// TestSilentLoop checks that a loop which does not take its ticks is told of, once.
func TestSilentLoop(t *testing.T) {
	s, text := idleServer(t)
	l := &loop{ticked: time.Now()}
	l.ticking.Store(true) // one is on its way
	if l.tickSoon(s); text.String() != "" {
		t.Errorf("at once: %s", text)
	}
	l.ticked = l.ticked.Add(-2 * silentAfter)
	for range 3 {
		l.tickSoon(s)
	}
	if n := strings.Count(text.String(), "event loop does not run"); n != 1 {
		t.Errorf("%d lines: %s", n, text)
	}
	if n := s.system.Hits(actors.LimitEventLoop); n != 1 {
		t.Errorf("counted %d times", n)
	}
}

// TestGnetLog checks what of gnet's lines is worth one of ours.
func TestGnetLog(t *testing.T) {
	s, text := idleServer(t)
	g := gnetLog{s.system, s.log}
	g.Debugf("a %d", 1)
	g.Infof("a %d", 2)
	g.Warnf("a %d", 3)
	for range 10 {
		g.Errorf("a %d", 4)
		g.Fatalf("a %d", 5)
	}
	s.system.Stop()
	if got := text.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, `"a 4"`) || !strings.Contains(got, "suppressed=19") {
		t.Errorf("log: %s", got)
	}
}
