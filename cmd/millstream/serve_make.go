package main

import (
	"context"
	"errors"
	"log/slog"

	"millstream/actors"
	"millstream/cmd/internal/config"
	"millstream/handlers"
	"millstream/netio"
	"millstream/protocol"
)

// A maker makes of a configuration what is served.
type maker struct {
	load      func() (*config.Config, error)
	instead   func(*slog.Logger) handlers.Handler // in place of the handlers of configurations, if not nil
	told      *telemetry
	log       *slog.Logger
	level     *slog.LevelVar // of the log
	timelines func(*actors.Timeline)
}

// A service is what is made of a configuration.
type service struct {
	cfg        netio.Config
	factory    handlers.Factory
	generation *config.Generation
}

// close closes what the handlers hold, when no session uses them any more.
func (s *service) close(log *slog.Logger) {
	if err := s.generation.Close(); err != nil {
		log.Warn("not all that the handlers held was closed", "err", err)
	}
}

// build makes the handlers of c, and opens what they need or shares it with the
// generation before, if there is one. Nothing is served yet.
func (m *maker) build(c *config.Config, before *config.Generation) (*service, error) {
	generation, err := c.Build(config.Env{Observed: logObserved(m.log), Log: m.log, Meter: m.told.meter})
	if err != nil {
		return nil, err
	}
	if err := generation.Open(before); err != nil {
		return nil, errors.Join(err, generation.Close())
	}
	h, macros := filter(c, generation, m.log), generation.Macros
	if m.instead != nil {
		h, macros = m.instead(m.log), protocol.MacroLists{}
	}
	cfg := c.Server()
	s := &cfg.Sessions
	s.Log, s.Tracer, s.Meter, s.Timelines, s.Macros = m.log, m.told.tracer, m.told.meter, m.timelines, macros
	return &service{cfg, handlers.Shared(followed(&c.OTel, h, m.told, m.log)), generation}, nil
}

// listen opens the sockets of a configuration. The reloader is what changes it later, and
// closes what handlers hold when no session is left.
func (m *maker) listen(c *config.Config) (*netio.Server, *reloader, error) {
	first, err := m.build(c, nil)
	if err != nil {
		return nil, nil, err
	}
	server, err := netio.Listen(first.cfg, first.factory)
	if err != nil {
		first.close(m.log)
		return nil, nil, err
	}
	again, err := newReloader(m, c, first, server)
	if err != nil {
		first.close(m.log)
		return nil, nil, errors.Join(err, server.Shutdown(context.Background()))
	}
	return server, again, nil
}
