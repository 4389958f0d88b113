package actors

import (
	"context"
	"sync"
)

// workers runs the functions of Go, Blocking and Async, each in a goroutine of its
// own, at most max at once; the others wait in order.
type workers struct {
	max int // 0 is no limit

	mu      sync.Mutex
	running int
	waiting []function
	done    signal // none is running
}

// A function is one to run. It uses a generation until it is done, which may be when its
// session has ended.
type function struct {
	gen *generation
	run func()
}

// start runs a function of handlers of g, now or when others are done. It returns false
// if it has to wait.
func (w *workers) start(g *generation, run func()) (now bool) {
	g.users.Add(1)
	f := function{g, run}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.max > 0 && w.running >= w.max {
		w.waiting = append(w.waiting, f)
		return false
	}
	w.running++
	go w.work(f)
	return true
}

// limit changes how many run at once. If these are fewer, those that run go on.
func (w *workers) limit(most int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.max = most
	for len(w.waiting) > 0 && (most == 0 || w.running < most) {
		w.running++
		go w.work(w.waiting[0])
		w.waiting = w.waiting[1:]
	}
}

// work runs f, and has another goroutine run what waits: that of f may end in f, with
// runtime.Goexit.
func (w *workers) work(f function) {
	defer func() {
		f.gen.release()
		if f := w.next(); f.run != nil {
			go w.work(f)
		}
	}()
	f.run()
}

// next takes what has waited longest; the zero function if nothing does, or more run than
// may.
func (w *workers) next() (f function) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) > 0 && (w.max == 0 || w.running <= w.max) {
		f, w.waiting = w.waiting[0], w.waiting[1:]
		return f
	}
	if len(w.waiting) == 0 {
		w.waiting = nil
	}
	if w.running--; w.running == 0 {
		w.done.send()
	}
	return function{}
}

// counts returns how many functions run, and how many wait.
func (w *workers) counts() (running, waiting int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return int64(w.running), int64(len(w.waiting))
}

// idle returns what is closed when no function is running.
func (w *workers) idle() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.done.when(w.running == 0)
}

// signal tells those who wait for something that it has come about. It is used
// under the lock of what they wait for.
type signal struct{ c chan struct{} }

// when returns what is closed at the next send, or has been if now.
func (s *signal) when(now bool) <-chan struct{} {
	if s.c == nil {
		s.c = make(chan struct{})
	}
	c := s.c
	if now {
		s.send()
	}
	return c
}

// send lets those go on that wait.
func (s *signal) send() {
	if s.c != nil {
		close(s.c)
		s.c = nil
	}
}

// await waits for c, or for the end of ctx.
func await(ctx context.Context, c <-chan struct{}) error {
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
