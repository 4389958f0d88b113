package handlers_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"

	"millstream/handlers"
	"millstream/protocol"
)

// resolving returns a reply that comes by resolve.
func resolving(resolve *handlers.Resolve) handlers.Reply {
	return handlers.Progress(func(_ context.Context, r handlers.Resolve) { *resolve = r })
}

func TestResolve(t *testing.T) {
	var resolve handlers.Resolve
	c := newControl()
	s := c.Begin(context.Background())
	posted := start(c, s, resolving(&resolve))
	checkIs(t, resolve(later(handlers.Accept)), protocol.ErrStatusNotAllowed)
	if len(posted) > 0 {
		t.Fatal("a pending reply is taken")
	}
	checkIs(t, resolve(handlers.Accept))
	checkStatus(t, (<-posted)(), protocol.StatusAccept)
	checkIs(t, resolve(handlers.Reject), handlers.ErrStaleResponse)
	if len(posted) > 0 {
		t.Error("a second reply is taken")
	}
}

// An answer that comes too late is told why it is not wanted, and goes nowhere.
func TestResolveTooLate(t *testing.T) {
	tests := []struct {
		name string
		end  func(*handlers.Control)
		want error
	}{
		{"answered otherwise", func(c *handlers.Control) {
			_, _ = c.Apply(protocol.CodeHelo, protocol.StatusContinue, protocol.StatusTempFail, 0)
		}, handlers.ErrStaleResponse},
		{"aborted", func(c *handlers.Control) { c.Over(handlers.ErrAborted) }, handlers.ErrStaleResponse},
		{"deadline", func(c *handlers.Control) { c.Over(handlers.ErrTimeout) }, handlers.ErrStaleResponse},
		{"next event", func(c *handlers.Control) { c.Begin(context.Background()) }, handlers.ErrStaleResponse},
		{"quit", func(c *handlers.Control) { c.Over(handlers.ErrSessionClosed) }, handlers.ErrSessionClosed},
		{"closed", func(c *handlers.Control) { c.Close() }, handlers.ErrSessionClosed},
		{"finished after the answer", func(c *handlers.Control) {
			c.Over(handlers.ErrStaleResponse)
			c.Finish()
		}, handlers.ErrSessionClosed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for _, verb := range []func(handlers.Handler) handlers.Handler{
					func(h handlers.Handler) handlers.Handler { return h }, handlers.Blocking,
				} {
					var resolve handlers.Resolve
					c := newControl()
					s := c.Begin(context.Background())
					h := verb(handlers.On(func(*handlers.Session, *protocol.Helo) handlers.Reply { return resolving(&resolve) }))
					posted := start(c, s, c.Call(h, s, &protocol.Helo{}))
					synctest.Wait()
					tt.end(c)
					synctest.Wait()
					n := len(posted)
					if err := resolve(handlers.Accept); !isErr(err, tt.want) {
						t.Errorf("error %v, want %v", err, tt.want)
					}
					if synctest.Wait(); len(posted) != n {
						t.Error("the answer is taken")
					}
				}
			})
		})
	}
}

// The last event of a connection may wait for an answer as any other.
func TestResolveInFinished(t *testing.T) {
	var resolve handlers.Resolve
	c := newControl()
	c.Finish()
	posted := start(c, c.Begin(context.Background()), resolving(&resolve))
	checkIs(t, resolve(handlers.Continue))
	checkStatus(t, (<-posted)(), protocol.StatusContinue)
}

// An answer that start gives itself counts when start has returned.
func TestResolveWithinStart(t *testing.T) {
	c := newControl()
	posts := 0
	var next func() handlers.Reply
	run := func(f func(handlers.Resolve)) {
		posts = 0
		r := handlers.Progress(func(_ context.Context, resolve handlers.Resolve) {
			f(resolve)
			if posts > 0 {
				t.Error("the answer is taken before start has returned")
			}
		})
		c.Run(c.Begin(context.Background()), r, nil, func(f func() handlers.Reply) { posts, next = posts+1, f })
	}
	run(func(resolve handlers.Resolve) {
		checkIs(t, resolve(handlers.Accept))
		checkIs(t, resolve(handlers.Reject), handlers.ErrStaleResponse)
	})
	checkStatus(t, next(), protocol.StatusAccept)
	if posts != 1 {
		t.Errorf("%d answers", posts)
	}
	var kept handlers.Resolve
	run(func(resolve handlers.Resolve) {
		kept = resolve
		checkIs(t, resolve(handlers.Accept))
		panic("after the answer")
	})
	checkPanic(t, next(), "after the answer")
	run(func(resolve handlers.Resolve) {
		kept = resolve
		panic("no answer")
	})
	checkPanic(t, next(), "no answer")
	checkIs(t, kept(handlers.Accept), handlers.ErrStaleResponse)
	if posts != 1 {
		t.Errorf("%d answers", posts)
	}
}

// The end of a function is posted once, wanted or not.
func TestRunPostsTheEnd(t *testing.T) {
	c := newControl()
	s := c.Begin(context.Background())
	release := make(chan struct{})
	var cause error
	posted := start(c, s, handlers.Async(func(ctx context.Context) handlers.Reply {
		<-ctx.Done()
		cause = context.Cause(ctx)
		<-release
		return handlers.Accept
	}))
	c.Over(handlers.ErrAborted)
	close(release)
	checkStatus(t, (<-posted)(), protocol.StatusAccept)
	if !isErr(cause, handlers.ErrAborted) || len(posted) != 0 {
		t.Errorf("cause %v, %d more posts", cause, len(posted))
	}
}

func TestPanics(t *testing.T) {
	boom := func(context.Context) handlers.Reply { panic("boom") }
	tests := map[string]handlers.Handler{
		"inline":   handlers.On(func(*handlers.Session, *protocol.Helo) handlers.Reply { panic("boom") }),
		"observer": handlers.Observe(func(*handlers.Session, *protocol.Helo) { panic("boom") }),
		"go":       handlers.Go(func(*handlers.Session, *protocol.Helo) handlers.Reply { panic("boom") }),
		"async":    answering[*protocol.Helo](handlers.Async(boom)),
		"blocking": handlers.Blocking(answering[*protocol.Helo](handlers.Async(boom))),
		"progress": answering[*protocol.Helo](handlers.Progress(func(context.Context, handlers.Resolve) { panic("boom") })),
		"then": answering[*protocol.Helo](later(handlers.Continue).Then(func(handlers.Reply) handlers.Reply {
			panic("boom")
		})),
	}
	for name, h := range tests {
		t.Run(name, func(t *testing.T) { checkPanic(t, ask(newControl(), h, &protocol.Helo{}), "boom") })
	}
	checkPanic(t, newControl().Guard(func() handlers.Reply { panic("boom") }), "boom")
	checkStatus(t, newControl().Guard(func() handlers.Reply { return handlers.Accept }), protocol.StatusAccept)
}

// A function that ends its goroutine has failed, and its end is posted as any other.
func TestGoexit(t *testing.T) {
	exit := func(context.Context) handlers.Reply {
		runtime.Goexit()
		return handlers.Accept
	}
	tests := map[string]handlers.Handler{
		"go": handlers.Go(func(*handlers.Session, *protocol.Helo) handlers.Reply { return exit(t.Context()) }),
		"blocking": handlers.Blocking(handlers.Chain(
			handlers.On(func(*handlers.Session, *protocol.Helo) handlers.Reply { return exit(t.Context()) }),
			answering[*protocol.Helo](handlers.Accept),
		)),
		"async within blocking": handlers.Blocking(answering[*protocol.Helo](handlers.Async(exit))),
	}
	for name, h := range tests {
		t.Run(name, func(t *testing.T) {
			const value = "its goroutine ended, by runtime.Goexit or FailNow of a test"
			checkPanic(t, ask(newControl(), h, &protocol.Helo{}), value)
		})
	}
}

// All of a handler in Blocking runs in one goroutine, whatever its replies.
func TestBlocking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		h := handlers.Blocking(handlers.Chain(
			noting[*protocol.Helo](&told, "async", handlers.Async(func(context.Context) handlers.Reply {
				told = append(told, "within")
				return handlers.Continue
			})),
			noting[*protocol.Helo](&told, "progress", handlers.Progress(func(_ context.Context, resolve handlers.Resolve) {
				go func() { _ = resolve(handlers.Continue) }()
			}).Then(func(r handlers.Reply) handlers.Reply {
				told = append(told, "then "+r.Status().String())
				return handlers.NoReply
			})),
			handlers.Go(func(*handlers.Session, *protocol.Helo) handlers.Reply { return handlers.Accept }),
		))
		c := newControl()
		s := c.Begin(context.Background())
		r := c.Call(h, s, &protocol.Helo{})
		if len(told) > 0 {
			t.Errorf("told on the loop: %v", told)
		}
		checkStatus(t, (<-start(c, s, r))(), protocol.StatusAccept) // in one turn
		checkTold(t, &told, "async", "within", "progress", "then continue")
	})
}

// When an answer is no longer wanted, nothing waits for it.
func TestBlockingLetsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newControl()
		h := handlers.Blocking(answering[*protocol.Helo](handlers.Progress(func(context.Context, handlers.Resolve) {})))
		s := c.Begin(context.Background())
		posted := start(c, s, c.Call(h, s, &protocol.Helo{}))
		synctest.Wait()
		if len(posted) > 0 {
			t.Fatal("answered by nobody")
		}
		c.Over(handlers.ErrTimeout)
		checkStatus(t, (<-posted)(), protocol.StatusDefault)
	})
}

// What is only needed costs no goroutine.
func TestBlockingOfNeed(t *testing.T) {
	c := newControl()
	h := handlers.Chain(handlers.Blocking(handlers.Chain(handlers.Need(handlers.KindHelo), answering[*protocol.Data](handlers.Accept))))
	s := c.Begin(context.Background())
	checkStatus(t, c.Call(h, s, &protocol.Helo{}), protocol.StatusDefault)
	checkStatus(t, c.Call(handlers.Blocking(handlers.Need(handlers.KindHelo)), s, &protocol.Helo{}), protocol.StatusDefault)
	checkStatus(t, await(c, s, c.Call(h, s, &protocol.Data{})), protocol.StatusAccept)
}
