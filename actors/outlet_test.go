package actors

import (
	"testing"
	"testing/synctest"
)

// blocked reports whether f is still running when nothing moves any more.
func blocked(f func()) (done *bool) {
	done = new(bool)
	go func() {
		f()
		*done = true
	}()
	synctest.Wait()
	return done
}

// Who has too much on its way waits: until it is written, taken, dropped, or nobody
// is there to take it.
func TestOutletWait(t *testing.T) {
	tests := []struct {
		name string
		free func(*outlet)
		want bool
	}{
		{"nothing", func(*outlet) {}, false},
		{"under way", func(o *outlet) { o.take(); o.changed.Broadcast() }, false},
		{"written and taken", func(o *outlet) { o.take(); o.room(0) }, true},
		{"written, not taken", func(o *outlet) { o.take(); o.room(11) }, false},
		{"room for just so much", func(o *outlet) { o.take(); o.room(10) }, true},
		{"dropped", func(o *outlet) { o.drop() }, true},
		{"closed", func(o *outlet) { o.close() }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOutlet(10)
				if !o.add(make([]byte, 6)) || o.add(make([]byte, 5)) {
					t.Error("the loop is to be called once")
				}
				done := blocked(func() { o.wait() })
				if *done || !o.waited() {
					t.Error("it does not wait")
				}
				tt.free(o)
				synctest.Wait()
				if *done != tt.want || o.waited() == tt.want {
					t.Errorf("it goes on: %v", *done)
				}
				o.close()
			})
		})
	}
}

// After the end nothing is taken, and nobody waits.
func TestOutletClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutlet(10)
		o.room(100)
		o.close()
		if o.add(make([]byte, 100)) || o.take() != nil {
			t.Error("it takes something")
		}
		if done := blocked(func() { o.wait() }); !*done {
			t.Error("it waits")
		}
	})
	var none *outlet // of a session without a message
	none.room(1)
	none.drop()
	none.close()
	if none.take() != nil || none.waited() {
		t.Error("something waits in nothing")
	}
}
