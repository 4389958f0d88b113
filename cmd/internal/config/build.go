package config

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"millstream/handlers"
	"millstream/handlers/lists"
	"millstream/handlers/policy"
	"millstream/handlers/resolver"
	"millstream/handlers/store"
	"millstream/handlers/when"
	"millstream/protocol"
)

// An Env is what handlers are built with beside their settings.
type Env struct {
	// Lists are those that the configuration names, for types that look something up.
	// They may add others; all are read when the generation is opened. Build sets it.
	Lists *lists.Set

	// Names are those of expressions, for types that compile expressions in their own way:
	// the networks and lists of this generation, and the results of handlers. Build sets it.
	Names *when.Names

	// Store is what sessions and machines share. It may be used when the generation is
	// open, and is closed with it. Build sets it.
	Store store.Store

	// Log takes what is wrong while handlers are used. Nil means slog.Default.
	Log *slog.Logger

	// Meter takes the measurements of handlers and of what they share. Nil means the
	// global one of OpenTelemetry.
	Meter metric.MeterProvider

	// Observed is told what handlers that are only observed would have done. It runs
	// where they do and must not block. Nil is nobody.
	Observed func(name string, s *handlers.Session, f policy.Finding)

	name     string // of the handler that is built
	link     *storeLink
	dns      *DNS
	resolver *resolver.Client // nil until somebody wants it
	texts    []text           // of the handler that is built
	closers  []func() error
}

// Resolver returns what looks names up for all handlers that do. The error is about the
// file that names the servers of the system.
func (e *Env) Resolver() (r *resolver.Client, err error) {
	if e.resolver == nil {
		e.resolver, err = resolver.New(resolver.Config{
			Servers: e.dns.Servers, Timeout: e.dns.Timeout, Cache: none(e.dns.Cache), Meter: e.Meter,
		})
	}
	return e.resolver, err
}

// Text returns one of the texts that the settings of the handler have told: see [Texter].
func (e *Env) Text(source string) (*when.Text, error) {
	i := slices.IndexFunc(e.texts, func(t text) bool { return t.source == source })
	if i < 0 {
		return nil, fmt.Errorf("%w: text %q is none of the settings", protocol.ErrInvalidArgument, source)
	}
	return e.texts[i].Text, nil
}

// meter returns the meter of a package. Handlers of one type are told apart by the label
// that [Env.label] returns: scopes are not shown everywhere.
func (e *Env) meter(scope string) metric.Meter {
	if e.Meter == nil {
		return otel.GetMeterProvider().Meter(scope)
	}
	return e.Meter.Meter(scope)
}

// label returns what tells measurements of the handler from those of others.
func (e *Env) label() attribute.KeyValue { return attribute.String("milter.handler", e.name) }

// OnClose has f called when the handlers are not used any more.
func (e *Env) OnClose(f func() error) { e.closers = append(e.closers, f) }

// complete returns an Env to build handlers of c with.
func (c *Config) complete(env Env) (*Env, error) {
	env.Lists = lists.NewSet(lists.Config{Log: env.Log})
	env.link = &storeLink{settings: c.Store, log: env.Log, meter: env.Meter}
	env.Store = env.link
	env.dns, env.resolver, env.closers = &c.DNS, nil, nil
	return &env, c.addLists(env.Lists)
}

// generation returns a generation of what was made so far.
func (e *Env) generation() *Generation {
	return &Generation{lists: e.Lists, store: e.link, closers: e.closers}
}

// A Generation is the handlers of a configuration.
type Generation struct {
	// Handler asks all of them in order.
	Handler handlers.Handler

	// Macros are those that expressions of the configuration need.
	Macros protocol.MacroLists

	lists   *lists.Set
	store   *storeLink
	closers []func() error
}

// Open opens what the handlers need to be asked: it reads their lists, looks from then on
// for changes of these, and opens the store. Of before, a generation that is open or nil,
// the store is shared if it has the same settings. Redis is not waited for. The error has
// all mistakes of all lists, each with its file and line, or is about the store; the
// generation is then to be closed.
func (g *Generation) Open(before *Generation) error {
	if err := g.lists.Open(); err != nil {
		return err
	}
	return g.store.open(before)
}

// Check reads the lists of the handlers and forgets them again, and opens nothing else.
// The error is as that of Open. A generation that was checked cannot be opened any more.
func (g *Generation) Check() error {
	defer g.lists.Close()
	return g.lists.Open()
}

// Close closes what the handlers hold: connections, files, the store unless another
// generation shares it. No session may use them any more.
func (g *Generation) Close() error {
	g.lists.Close()
	var errs []error
	for _, f := range slices.Backward(g.closers) {
		errs = append(errs, f())
	}
	g.closers = nil
	return errors.Join(append(errs, g.store.release())...)
}

// Build makes the handlers of c. It changes nothing else: several generations can be
// there at once, and one that is not wanted is closed. On an error all that was made is
// closed.
func (c *Config) Build(env Env) (*Generation, error) {
	e, err := c.complete(env)
	if err != nil {
		return nil, err
	}
	e.Names = c.names(e.Lists)
	e.Names.Results = c.results
	members := make([]handlers.Handler, len(c.Handlers))
	for i, h := range c.Handlers { // a copy: expressions are those of the generation
		if err = h.compile(e.Names); err == nil {
			members[i], err = h.build(e)
		}
		if err != nil {
			err = fmt.Errorf("handler %s: %w", h.Name, err)
			return nil, errors.Join(err, e.generation().Close())
		}
	}
	g := e.generation()
	g.Handler, g.Macros = handlers.Chain(members...), c.macros()
	return g, nil
}

// make makes what a handler does if its expression holds. Its timeout stands behind the
// expression: an event that it is not told of has none to keep.
func (h *Handler) make(env *Env) (handlers.Handler, error) {
	env.name, env.texts = h.Name, h.texts
	built, err := h.kind.Build(h.Settings, env)
	if err == nil && h.when != nil {
		built, err = when.Handler(h.when, handlers.Within(h.Timeout, built))
	}
	return built, err
}

// build makes one handler: what it does if its expression holds, with its policy, of no
// effect if it is only observed, under its name.
func (h *Handler) build(env *Env) (handlers.Handler, error) {
	built, err := h.make(env)
	if err != nil {
		return nil, err
	}
	for _, t := range h.texts {
		built = t.Around(built)
	}
	onError, _ := policy.Parse(h.OnError)
	onTimeout, _ := policy.Parse(h.OnTimeout)
	p := policy.Policy{Name: h.Name, OnError: onError, OnTimeout: onTimeout}
	if h.when == nil {
		p.Timeout = h.Timeout
	}
	if h.recorded {
		p.Inside = func(inner handlers.Handler) handlers.Handler { return when.Record(h.Name, inner) }
	}
	built = p.Apply(built)
	if h.Mode == modeObserve {
		observed, name := env.Observed, h.Name
		built = policy.Observe(name, built, func(s *handlers.Session, f policy.Finding) {
			if observed != nil {
				observed(name, s, f)
			}
		})
	}
	return handlers.Named(h.Name, built), nil
}

// macros returns the macros that the expressions of all handlers need. An MTA that is
// asked for some at a stage sends no others there, so where it is asked in a message it
// is asked for the queue id too, which the server itself uses.
func (c *Config) macros() (all protocol.MacroLists) {
	add := func(n when.Needs) {
		for stage, list := range n.Macros {
			if list != nil {
				all.Add(protocol.Stage(stage), list...)
			}
		}
	}
	for i := range c.Handlers {
		h := &c.Handlers[i]
		add(h.needs)
		if h.when != nil {
			add(h.when.Needs())
		}
		for _, t := range h.texts {
			add(t.Needs())
		}
	}
	for _, stage := range []protocol.Stage{
		protocol.StageMail, protocol.StageRcpt, protocol.StageData, protocol.StageEndOfHeader, protocol.StageEndOfMessage,
	} {
		if all[stage] != nil {
			all.Add(stage, "i")
		}
	}
	return all
}
