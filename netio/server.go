package netio

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/panjf2000/gnet/v2"

	"millstream/actors"
	"millstream/handlers"
)

// readBuffer is how much a loop reads at once, in bytes. A packet of body has up to
// 65540.
const readBuffer = 256 << 10

// stopWithin is how long a server waits for what does not keep to its contexts.
const stopWithin = 10 * time.Second

// A Server serves MTAs.
type Server struct {
	cfg       Config
	log       *slog.Logger
	system    *actors.System
	listeners []*listener
	client    *gnet.Client
	accepting sync.WaitGroup
	slots     slots

	stop     sync.Once
	stopping chan struct{} // closed when listening ends
	stopped  chan struct{} // closed when all has ended

	mu      sync.Mutex
	serving bool
	loops   map[gnet.EventLoop]*loop
}

// Serve serves MTAs at one address until ctx ends, then stops as Shutdown does.
// It is what a small program needs.
//
//	err := netio.Serve(ctx, "inet:8890@127.0.0.1", handlers.Shared(filter))
func Serve(ctx context.Context, addr string, f handlers.Factory) error {
	s, err := Listen(Config{Listen: []string{addr}}, f)
	if err != nil {
		return err
	}
	return s.Serve(ctx)
}

// Listen opens the addresses of cfg and returns a server for f. Connections wait
// in the backlog until Serve. The error names the field of cfg that is wrong, or
// the address that could not be opened; ErrNull says that f is nil.
func Listen(cfg Config, f handlers.Factory) (*Server, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	system, err := actors.NewSystem(cfg.Sessions, f)
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, log: cfg.Sessions.Log, system: system,
		stopping: make(chan struct{}), stopped: make(chan struct{}),
		loops: make(map[gnet.EventLoop]*loop),
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	s.slots = newSlots(cfg.MaxSessions)
	for _, socket := range cfg.sockets() {
		l, err := open(&s.cfg, socket)
		if err != nil {
			s.closeListeners()
			system.Stop()
			return nil, err
		}
		s.listeners = append(s.listeners, l)
	}
	return s, nil
}

// Serve serves until ctx ends, then stops as Shutdown does and waits up to
// Config.Grace; or until Shutdown is called. It returns nil after either. It may
// be called once.
func (s *Server) Serve(ctx context.Context) error {
	if err := s.start(); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Grace)
		defer cancel()
		return s.Shutdown(grace)
	case <-s.stopped:
		return nil
	}
}

// start starts the event loops and accepts connections.
func (s *Server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.stopping:
		return net.ErrClosed
	default:
	}
	if s.serving {
		return errors.New("milter: the server is serving already")
	}
	client, err := gnet.NewClient(&events{s: s},
		gnet.WithNumEventLoop(s.cfg.Loops), gnet.WithReadBufferCap(readBuffer), gnet.WithTicker(true),
		gnet.WithTCPNoDelay(gnet.TCPNoDelay), gnet.WithTCPKeepAlive(keepAlive), gnet.WithLogger(gnetLog{s.system, s.log}))
	if err != nil {
		return err
	}
	if err := client.Start(); err != nil {
		return err
	}
	s.client, s.serving = client, true
	for _, l := range s.listeners {
		s.accepting.Go(func() { s.accept(l) })
	}
	return nil
}

// Addrs returns the open addresses in the order of Config.Listen, then of
// Config.Sockets.
func (s *Server) Addrs() []net.Addr {
	addrs := make([]net.Addr, len(s.listeners))
	for i, l := range s.listeners {
		addrs[i] = l.Addr()
	}
	return addrs
}

// Sessions returns the sessions now alive, oldest first.
func (s *Server) Sessions() []actors.Info { return s.system.Sessions() }

// Len returns how many sessions are alive.
func (s *Server) Len() int { return s.system.Len() }

// Tap opens a tap: see [actors.System.Tap].
func (s *Server) Tap(f actors.TapFilter) (*actors.Tap, error) { return s.system.Tap(f) }

// Swap has the connections that come from now on served by f, with sessions that run as
// cfg says, and nobody notices: see [actors.System.Swap].
func (s *Server) Swap(cfg actors.Config, f handlers.Factory) (unused <-chan struct{}, err error) {
	return s.system.Swap(cfg, f)
}

// Shutdown stops listening and lets sessions go on, new messages included, until
// their MTAs leave. When ctx ends, the rest are closed. It returns when no session
// is left. The error says what did not end in time.
func (s *Server) Shutdown(ctx context.Context) error {
	var err error
	s.stop.Do(func() { err = s.shutdown(ctx) })
	<-s.stopped
	return err
}

func (s *Server) shutdown(ctx context.Context) error {
	defer close(s.stopped)
	s.mu.Lock()
	close(s.stopping)
	s.mu.Unlock()
	s.closeListeners()
	s.accepting.Wait()
	var errs []error
	if s.system.Drain(ctx) != nil {
		if left := s.Len(); left > 0 {
			s.log.Warn("closing the sessions that are left", "sessions", left)
			for range left {
				s.system.Hit(actors.LimitGrace)
			}
		}
		s.system.CloseAll()
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		if s.system.Drain(limit) != nil {
			errs = append(errs, fmt.Errorf("%w: %d sessions did not end", handlers.ErrTimeout, s.Len()))
		}
		if s.system.Wait(limit) != nil {
			errs = append(errs, fmt.Errorf("%w: functions of handlers did not return", handlers.ErrTimeout))
		}
	}
	if s.client != nil {
		errs = append(errs, s.client.Stop())
	}
	s.system.Stop()
	return errors.Join(errs...)
}

func (s *Server) closeListeners() {
	for _, l := range s.listeners {
		if err := l.Close(); err != nil {
			s.log.Warn("cannot close a listener", "listener", l.spec, "err", err)
		}
	}
}
