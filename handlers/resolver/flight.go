package resolver

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// A flight is a question that is under way, for all who ask it.
type flight struct {
	waiting int // callers; under the lock of the Client
	cancel  context.CancelFunc
	done    chan struct{}
	answer  *answer // once done; nil if nobody waited to the end
}

// join has the caller wait for a question: with others, or it is asked now. What is
// asked belongs to the trace of the first caller, and to the deadline of none.
func (c *Client) join(ctx context.Context, q question) (*flight, source) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.flights[q]; f != nil {
		f.waiting++
		return f, fromOthers
	}
	flown, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.Timeout)
	f := &flight{waiting: 1, cancel: cancel, done: make(chan struct{})}
	c.flights[q] = f
	go c.fly(flown, q, f)
	return f, fromServers
}

// wait returns the answer of a flight, or why the caller does not wait any longer. Who
// leaves as the last ends the flight first.
func (c *Client) wait(ctx context.Context, q question, f *flight) (*answer, error) {
	select {
	case <-f.done:
	case <-ctx.Done():
		if c.leave(q, f) {
			f.cancel()
			<-f.done
		}
		return nil, ended(ctx)
	}
	return f.answer, nil
}

// leave takes a caller from a flight and reports whether it was the last.
func (c *Client) leave(q question, f *flight) (last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.waiting--
	if last = f.waiting == 0; last && c.flights[q] == f {
		delete(c.flights, q)
	}
	return last
}

// fly asks a question when it is its turn, and keeps the answer.
func (c *Client) fly(ctx context.Context, q question, f *flight) {
	defer f.cancel()
	a, fair := c.turn(ctx, q)
	if fair {
		c.keep(q, a)
	}
	c.mu.Lock()
	if c.flights[q] == f {
		delete(c.flights, q)
	}
	c.mu.Unlock()
	f.answer = a
	close(f.done)
}

// turn asks a question when it is its turn. fair is false if a failure says nothing
// about the question, as the servers had no time for it.
func (c *Client) turn(ctx context.Context, q question) (a *answer, fair bool) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
		return c.ask(ctx, q)
	case <-ctx.Done():
		return &answer{err: fmt.Errorf("%w: %d others are asked for: raise the limit of queries", ErrTimeout, cap(c.slots))}, false
	}
}

// ask asks the servers, one after the other.
func (c *Client) ask(ctx context.Context, q question) (a *answer, fair bool) {
	var failures []string
	class, list := ErrTimeout, c.order()
	for asked := 0; len(list) > 0; asked++ {
		s := list[0]
		list = list[1:]
		a, err := c.exchange(ctx, s, q)
		if err == nil {
			s.answered()
			return a, true
		}
		silent := errors.Is(err, ErrTimeout)
		if silent && ctx.Err() != nil {
			break // it may still have answered
		}
		failures = append(failures, fmt.Sprintf("server %s: %v", s.text, err))
		if !silent {
			class = ErrServer
			continue
		}
		s.silent()
		if asked < len(c.servers) { // a datagram may have been lost
			list = append(list, s)
		}
	}
	err := class
	if len(failures) > 0 {
		err = fmt.Errorf("%w: %s", class, strings.Join(failures, "; "))
	}
	return &answer{err: err}, len(failures) >= len(c.servers)
}
