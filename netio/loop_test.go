package netio

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestSilentLoop checks that a loop which does not take its ticks is told of, once.
func TestSilentLoop(t *testing.T) {
	text := new(logText)
	l := &loop{ticked: time.Now()}
	l.ticking.Store(true) // one is on its way
	log := slog.New(slog.NewTextHandler(text, nil))
	if l.tickSoon(log); text.String() != "" {
		t.Errorf("at once: %s", text)
	}
	l.ticked = l.ticked.Add(-2 * silentAfter)
	for range 3 {
		l.tickSoon(log)
	}
	if n := strings.Count(text.String(), "event loop does not run"); n != 1 {
		t.Errorf("%d lines: %s", n, text)
	}
}

// TestGnetLog checks what of gnet's lines is worth one of ours.
func TestGnetLog(t *testing.T) {
	text := new(logText)
	g := gnetLog{slog.New(slog.NewTextHandler(text, nil))}
	g.Debugf("a %d", 1)
	g.Infof("a %d", 2)
	g.Warnf("a %d", 3)
	g.Errorf("a %d", 4)
	g.Fatalf("a %d", 5)
	if got := text.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, `"a 4"`) || !strings.Contains(got, `"a 5"`) {
		t.Errorf("log: %s", got)
	}
}
