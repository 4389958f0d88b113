package archive

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// fails sends a message that the maildir cannot take, and checks that it is refused for
// now, with one error that says what to do.
func fails(t *testing.T, s *handlertest.Session, size int, want error, mend string) {
	t.Helper()
	out := s.Send(letterTo(large(size), "<b@y.example>"))
	failures := s.Failures()
	if out.Status != protocol.StatusTempFail || len(failures) != 1 {
		t.Fatalf("answered %v, failures %v", out.Status, failures)
	}
	if err := failures[0]; !errors.Is(err, want) || !strings.Contains(err.Error(), mend) {
		t.Errorf("error %v, want %v and %q", err, want, mend)
	}
}

// A maildir that is gone fails messages, is not made again, and is used when it is back.
func TestGone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mail")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	box := newBox(t, dir, nil)
	s := handlertest.New(t, box.handler)
	s.Send(letterTo("1\r\n", "<b@y.example>"))
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{10, 300_000} {
		fails(t, s, size, os.ErrNotExist, "make the directory, or mount what it is on")
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the directory was made")
	}
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	s.Send(letterTo("2\r\n", "<b@y.example>"))
	box.has(t, copyOf("1\r\n"), copyOf("2\r\n"))
}

// A message that goes on after a failure does so without a copy, and without another
// failure.
func TestFailedOnce(t *testing.T) {
	dir := t.TempDir()
	box := newBox(t, dir, nil)
	failures := 0
	goOn := handlers.Around(func(next handlers.Handler, s *handlers.Session, ev handlers.Event) handlers.Reply {
		return next.Handle(s, ev).Then(func(r handlers.Reply) handlers.Reply {
			if r.Failed() {
				failures++
				return handlers.Continue
			}
			return r
		})
	})
	s := handlertest.New(t, goOn(box.handler))
	s.Send(letterTo("x\r\n", "<b@y.example>"))
	if err := os.RemoveAll(filepath.Join(dir, "tmp")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tmp"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := s.Send(letterTo(large(500_000), "<b@y.example>")); out.Status != protocol.StatusContinue {
		t.Errorf("answered %v", out.Status)
	}
	if failures != 1 {
		t.Errorf("%d failures", failures)
	}
	if got := box.files(t, "new"); len(got) != 1 {
		t.Errorf("%d copies", len(got))
	}
}

// Where only the move to new fails, the message is taken, and the copy stays in tmp.
func TestNotMoved(t *testing.T) {
	box := newBox(t, t.TempDir(), nil)
	block := handlers.On(func(*handlers.Session, *handlers.Message) handlers.Reply {
		if err := os.Rename(filepath.Join(box.path, "new"), filepath.Join(box.path, "away")); err != nil {
			t.Error(err)
		}
		return handlers.Continue
	})
	s := handlertest.New(t, handlers.Chain(box.handler, block))
	out := s.Send(letterTo("x\r\n", "<b@y.example>"))
	failures := s.Failures()
	if out.Status != protocol.StatusContinue || len(failures) != 1 || !errors.Is(failures[0], os.ErrNotExist) {
		t.Errorf("answered %v, failures %v", out.Status, failures)
	}
	if rest := box.files(t, "tmp"); len(rest) != 1 || rest[0] != copyOf("x\r\n") {
		t.Errorf("in tmp: %q", rest)
	}
}

// What is written when nobody waits for it any more is removed at once: the session may
// not tell what became of the message.
func TestTooLate(t *testing.T) {
	box := newBox(t, t.TempDir(), nil)
	settings := Defaults()
	settings.Maildir = box.path
	f := &filter{dir: newMaildir(settings, "")}
	l := &place{&letter{dir: f.dir}}
	l.addBody([]byte("x\r\n"), true)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := handlers.NewControl(t.Context(), handlers.Facts{Result: &handlers.Result{}}, nil)
	s := c.Begin(ctx)
	c.Run(s, f.write(s, l, (*letter).finish), func(f func()) { f() }, func(next func() handlers.Reply) {
		if r := next(); r.Failed() {
			t.Errorf("failed: %v", r.Err())
		}
	})
	if l.fate != dropped {
		t.Errorf("fate %d", l.fate)
	}
	box.has(t)
}

// Messages that end in any way leave no goroutine and no descriptor.
func TestLeaks(t *testing.T) {
	defer goleak.VerifyNone(t)
	box := newBox(t, t.TempDir(), func(s *Settings) { s.Sync, s.Folder = true, "day" })
	before := descriptors(t)
	s := handlertest.New(t, box.handler)
	for i := range 20 {
		begin(s, i%4)
		if i%3 == 0 {
			s.Abort()
			continue
		}
		s.EndOfMessage()
	}
	if err := os.RemoveAll(box.path); err != nil {
		t.Fatal(err)
	}
	fails(t, s, 300_000, os.ErrNotExist, "make")
	s.Close()
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

// descriptors returns how many files are open.
func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(list)
}

// Old files in tmp that are ours are removed, once an hour; all others stay.
func TestSweep(t *testing.T) {
	box := newBox(t, t.TempDir(), nil)
	settings := Defaults()
	settings.Maildir = box.path
	d := newMaildir(settings, "")
	if err := d.furnish(box.path); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	put := func(name string, age time.Duration) {
		t.Helper()
		path := filepath.Join(box.path, "tmp", name)
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	old, young, later := d.name(), d.name(), d.name()
	put(old, 37*time.Hour)
	put(young, 35*time.Hour)
	put("1700000000.P1Q2.host", 99*time.Hour)
	put("precious", 99*time.Hour)
	s := handlertest.New(t, box.handler)
	s.Send(letterTo("x\r\n", "<b@y.example>"))
	put(later, 40*time.Hour)
	s.Send(letterTo("x\r\n", "<b@y.example>"))
	left := strings.Join(box.files(t, "tmp"), " ")
	for name, stays := range map[string]bool{old: false, young: true, later: true, "precious": true, "1700000000.P1Q2.host": true} {
		if strings.Contains(left, name) != stays {
			t.Errorf("%s stays: %v", name, !stays)
		}
	}
	if err := d.sweep(now.Add(2 * time.Hour)); err != nil {
		t.Error(err)
	}
	if left := strings.Join(box.files(t, "tmp"), " "); strings.Contains(left, later) || strings.Contains(left, young) {
		t.Errorf("two hours later there is %s", left)
	}
}
