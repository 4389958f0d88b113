package actors

import "sync"

// workers runs the functions of Go, Blocking and Async, each in a goroutine of its
// own, at most max at once; the others wait in order.
type workers struct {
	max int // 0 is no limit

	mu      sync.Mutex
	running int
	waiting []func()
	done    sync.WaitGroup
}

// start runs f, now or when others are done.
func (w *workers) start(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.max > 0 && w.running >= w.max {
		w.waiting = append(w.waiting, f)
		return
	}
	w.running++
	w.done.Go(func() { w.work(f) })
}

// work runs f, and then what waits.
func (w *workers) work(f func()) {
	for f != nil {
		f()
		f = w.next()
	}
}

// next takes what has waited longest; nil if nothing does.
func (w *workers) next() (f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) == 0 {
		w.running--
		w.waiting = nil
		return nil
	}
	f, w.waiting = w.waiting[0], w.waiting[1:]
	return f
}
