package handlertest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// failing is a test that a session may fail: it panics with what it was told.
type failing struct{ testing.TB }

type failure string

func (failing) Helper()                           {}
func (failing) Cleanup(func())                    {}
func (failing) Fatalf(format string, args ...any) { panic(failure(fmt.Sprintf(format, args...))) }

// fails checks that f fails its test, with a message that has all of parts.
func fails(t *testing.T, f func(testing.TB), parts ...string) {
	t.Helper()
	defer func() {
		t.Helper()
		got, ok := recover().(failure)
		if !ok {
			t.Errorf("the test did not fail")
		}
		for _, part := range parts {
			if !strings.Contains(string(got), part) {
				t.Errorf("the test fails with %q, without %q", got, part)
			}
		}
	}()
	f(failing{t})
}

// journal notes what a handler is told of.
type journal []string

func (j *journal) add(format string, args ...any) { *j = append(*j, fmt.Sprintf(format, args...)) }

// take returns what was noted since the last call, in a line.
func (j *journal) take() string {
	line := strings.Join(*j, ", ")
	*j = nil
	return line
}

// observer returns handlers that note all that has no answer, and aborts.
func (j *journal) observer() handlers.Handler {
	return handlers.Chain(
		handlers.Observe(func(*handlers.Session, *handlers.Established) { j.add("established") }),
		handlers.Observe(func(_ *handlers.Session, m *protocol.Macro) { j.add("macro %v", m.Stage) }),
		handlers.Observe(func(_ *handlers.Session, a *handlers.Abort) { j.add("abort in %v: %v", a.State, a.Err) }),
		handlers.Observe(func(_ *handlers.Session, r *handlers.Response) {
			j.add("response %v %v%s", r.To, r.Status, map[bool]string{true: " silent"}[r.Silent])
		}),
		handlers.Observe(func(_ *handlers.Session, r *handlers.Result) { j.add("result %v in %v", r.Status, r.State) }),
		handlers.Observe(func(*handlers.Session, *handlers.Timeout) { j.add("timeout") }),
		handlers.Observe(func(_ *handlers.Session, f *handlers.Failure) {
			if e, ok := errors.AsType[*handlers.PanicError](f.Err); ok {
				j.add("failure in %v: panic %v", f.During, e.Value)
				return
			}
			j.add("failure in %v: %v", f.During, f.Err)
		}),
		handlers.Observe(func(_ *handlers.Session, f *handlers.Finished) { j.add("finished: %v", f.Err) }),
	)
}

// noting is On with a function that notes its event.
func noting[E handlers.Answered](j *journal, r handlers.Reply) handlers.Handler {
	return handlers.On(func(_ *handlers.Session, ev E) handlers.Reply {
		j.add("%v", handlers.KindOf(ev))
		return r
	})
}

// answering is On with a function that returns r.
func answering[E handlers.Answered](r handlers.Reply) handlers.Handler {
	return handlers.On(func(*handlers.Session, E) handlers.Reply { return r })
}

func view(s string) protocol.View { return protocol.View(s) }

func mail(addr string) *protocol.MailFrom { return &protocol.MailFrom{Addr: view(addr)} }

func rcpt(addr string) *protocol.RcptTo { return &protocol.RcptTo{Addr: view(addr)} }

func header(name, value string) *protocol.Header {
	return &protocol.Header{Name: view(name), Value: view(value)}
}

// codes returns the codes of the packets of an outcome.
func codes(t *testing.T, o handlertest.Outcome) (s string) {
	t.Helper()
	for b := o.Packets; len(b) > 0; {
		code, _, n, err := protocol.Frame(b, 1<<20)
		if err != nil || n == 0 {
			t.Fatalf("packets %q: %v", o.Packets, err)
		}
		s += string(rune(code))
		b = b[n:]
	}
	return s
}
