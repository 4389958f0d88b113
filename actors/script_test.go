package actors

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
	"millstream/protocol/script"
)

var update = flag.Bool("update", false, "rewrite the session scripts to what really comes")

// TestScripts plays the session scripts to sessions, with time of their own. What is
// sent is cut in several ways, and where all is answered the filter works off the
// loop as well: none of that may make a difference.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("../protocol/testdata/session/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		s, err := script.Load(file)
		if err != nil {
			t.Error(err)
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			if *update {
				rewrite(t, s)
				return
			}
			if s.Blocks() {
				playOffline(t, s, script.Player{}, blocking)
			}
			for _, cut := range []int{0, 1, 3} {
				playOffline(t, s, script.Player{Cut: cut}, inline)
			}
		})
	}
}

// Where the filter works.
const (
	inline   = "inline"
	blocking = "blocking"
)

// rewrite replaces what a script expects with what comes.
func rewrite(t *testing.T, s *script.Script) {
	played := playOffline(t, s, script.Player{Record: true}, inline)
	if err := os.WriteFile(s.Name, []byte(played.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// playOffline plays a script to a session in a bubble.
func playOffline(t *testing.T, s *script.Script, p script.Player, where string) (played *script.Script) {
	t.Helper()
	t.Run(fmt.Sprintf("%s,cut=%d", where, p.Cut), func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			peer := newOfflinePeer(t, s, where == blocking)
			var differences []script.Note
			played, differences = p.Play(s, peer)
			for _, d := range differences {
				t.Errorf("%s:%d:\nwant %v\n got %v", s.Name, d.Line, d.Want, d.Got)
			}
			peer.HangUp(nil)
			peer.Advance(time.Hour) // what still runs comes to its end
		})
	})
	return played
}

// offlinePeer is a session that scripts are played to.
type offlinePeer struct {
	*Offline
	apart  bool // packets are handled one by one
	writes int

	mu     sync.Mutex
	events []script.Event
}

func newOfflinePeer(t *testing.T, s *script.Script, offLoop bool) *offlinePeer {
	t.Helper()
	cfg := Config{Log: quiet}
	for _, c := range s.Config() {
		if err := configure(&cfg, c); err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
	}
	p := &offlinePeer{apart: offLoop}
	filter := handlers.Around(p.watch)(handlertest.Scripted(s))
	if offLoop {
		filter = handlers.Blocking(filter)
	}
	h := handlers.Chain(&watcher{s, p}, filter)
	var err error
	if p.Offline, err = NewOffline(cfg, handlers.Shared(h)); err != nil {
		t.Fatal(err)
	}
	return p
}

// configure makes one setting.
func configure(cfg *Config, c script.Config) error {
	number, notNumber := strconv.Atoi(c.Value)
	duration, notDuration := time.ParseDuration(c.Value)
	actions, isSet := script.ParseActions(c.Value)
	status, isStatus := script.ParseStatus(c.Value)
	durations := map[string]*time.Duration{
		"timeout": &cfg.Timeout, "negotiate-timeout": &cfg.NegotiateTimeout,
		"handler-timeout": &cfg.HandlerTimeout, "auto-progress": &cfg.AutoProgress,
	}
	numbers := map[string]*int{
		"packet-buffer": &cfg.PacketBuffer, "max-packet-size": &cfg.MaxPacketSize, "max-pending": &cfg.MaxPending,
	}
	switch field := durations[c.Key]; {
	case field != nil && notDuration == nil:
		*field = duration
	case numbers[c.Key] != nil && notNumber == nil:
		*numbers[c.Key] = number
	case c.Key == "actions" && isSet:
		cfg.Actions = actions
	case c.Key == "failure-status" && isStatus:
		cfg.FailureStatus = status
	case c.Key == "split-final-chunk":
		cfg.SplitFinalChunk = c.Value == "yes"
	default:
		return fmt.Errorf("no setting %v", c)
	}
	return nil
}

// Send is [script.Peer]. Off the loop an answer takes a moment, in which an abort of
// the same write would end the wait for it.
func (p *offlinePeer) Send(b []byte) error {
	for p.apart {
		_, _, n, _ := protocol.Frame(b, protocol.DefaultMaxPacketSize)
		if n == 0 {
			break
		}
		_ = p.Feed(b[:n])
		synctest.Wait()
		b = b[n:]
	}
	_ = p.Feed(b) // what is wrong is told as an event
	synctest.Wait()
	return nil
}

func (p *offlinePeer) Receive(time.Duration) ([]byte, error) {
	synctest.Wait()
	out := p.Output()
	p.Offline.mu.Lock()
	defer p.Offline.mu.Unlock()
	if len(out) == 0 && p.s.removed {
		return nil, io.EOF
	}
	return out, nil
}

func (p *offlinePeer) Leave(reset bool) {
	if reset {
		p.HangUp(io.ErrClosedPipe)
	} else {
		p.HangUp(nil)
	}
	synctest.Wait()
}

func (p *offlinePeer) State() protocol.State {
	p.Offline.mu.Lock()
	defer p.Offline.mu.Unlock()
	return p.s.control.Machine().State()
}

func (p *offlinePeer) Events() []script.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	events := p.events
	p.events = nil
	return events
}

func (p *offlinePeer) Writes() int {
	n := p.Offline.Writes()
	n, p.writes = n-p.writes, n
	return n
}

func (p *offlinePeer) Advance(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// watch notes an event on its way to the filter.
func (p *offlinePeer) watch(next handlers.Handler, s *handlers.Session, ev handlers.Event) handlers.Reply {
	if handlers.KindOf(ev) != handlers.KindAbort {
		p.note(ev)
	}
	return next.Handle(s, ev)
}

// watcher notes the other events that a script watches. It changes nothing.
type watcher struct {
	s *script.Script
	p *offlinePeer
}

func (w *watcher) Wants() handlers.Wants {
	kinds := everything&^answerable | handlers.Of(handlers.KindAbort)
	for k := range handlers.KindFinished + 1 {
		if !w.s.Watches(k.String()) {
			kinds &^= handlers.Of(k)
		}
	}
	return handlers.Wants{Events: kinds}
}

func (w *watcher) Handle(_ *handlers.Session, ev handlers.Event) handlers.Reply {
	w.p.note(ev)
	return handlers.Reply{}
}

// note notes an event.
func (p *offlinePeer) note(ev handlers.Event) {
	line := handlers.KindOf(ev).String()
	add := func(words ...any) { line = strings.TrimSpace(line + " " + fmt.Sprintln(words...)) }
	switch e := ev.(type) {
	case *protocol.Macro:
		add(e.Stage)
	case *handlers.Abort:
		add(e.State)
	case *handlers.Response:
		add(e.To, e.Status)
		if e.Silent {
			add("silent")
		}
	case *handlers.Result:
		add(e.Status, e.State)
		if e.Quarantined {
			add("quarantined")
		}
	case *handlers.Failure:
		add(e.During, wordOf(e.Err))
	case *handlers.Finished:
		if e.Err != nil {
			add(wordOf(e.Err))
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, script.Event(line))
}

// errorWords has the words for errors that are none of the protocol.
var errorWords = []struct {
	err  error
	word string
}{
	{handlers.ErrBodyInterleaved, "body-interleaved"},
	{handlers.ErrTimeout, "timeout"},
	{handlers.ErrIO, "io"},
	{handlers.ErrSessionClosed, "session-closed"},
}

func wordOf(err error) string {
	for _, e := range errorWords {
		if errors.Is(err, e.err) {
			return e.word
		}
	}
	if _, ok := errors.AsType[*handlers.PanicError](err); ok {
		return "panic"
	}
	return cmp.Or(script.ErrorWord(err), strconv.Quote(err.Error()))
}
