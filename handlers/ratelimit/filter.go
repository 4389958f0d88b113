package ratelimit

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"millstream/handlers"
	"millstream/handlers/store"
	"millstream/handlers/when"
	"millstream/protocol"
)

// filter is what limits have in common. It is shared by all sessions.
type filter struct {
	counters store.Counters
	log      *slog.Logger
	pace     pace
	shelf    string // the place of drafts
	macros   protocol.MacroLists
}

// New returns the filter. It counts in counters, which is not closed with it: any store
// will do. names are those of expressions and texts, and may be nil. meter may be nil,
// which measures nothing; labels are said with each measurement, to tell those of several
// filters apart. log may be nil, which is [slog.Default]. The error has what Check tells,
// or the first expression or text that cannot be compiled, with its key.
func New(
	s *Settings, names *when.Names, counters store.Counters, meter metric.Meter, log *slog.Logger, labels ...attribute.KeyValue,
) (handlers.Handler, error) {
	var mistakes []error
	s.Check(func(key, text string) { mistakes = append(mistakes, fmt.Errorf("%s: %s", key, text)) })
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	if counters == nil {
		return nil, fmt.Errorf("%w: store of ratelimit", handlers.ErrNull)
	}
	if log == nil {
		log = slog.Default()
	}
	f := &filter{counters: counters, log: log}
	f.shelf = fmt.Sprintf("ratelimit %p", f)
	limits, trust, err := f.compile(s, names)
	if err != nil {
		return nil, err
	}
	var list []handlers.Handler
	for i, l := range limits {
		if l.counts, err = newCounts(meter, l.Name, labels); err != nil {
			return nil, err
		}
		h, err := l.conditional()
		if err != nil {
			return nil, fmt.Errorf("limit[%d].%w", i, err)
		}
		list = append(list, h)
	}
	if f.macros = needs(limits, trust).Macros; !f.macros.Empty() {
		list = append(list, handlers.On(f.negotiate))
	}
	h := handlers.Chain(append(f.keeper(limits), list...)...)
	if trust == nil {
		return h, nil
	}
	return when.Handler(trust, h)
}

// compile compiles the limits, and the condition under which there are any.
func (f *filter) compile(s *Settings, names *when.Names) (limits []*limit, trust *when.Program, err error) {
	for i := range s.Limits {
		l, err := f.limit(&s.Limits[i], i, names)
		if err != nil {
			return nil, nil, fmt.Errorf("limit[%d].%w", i, err)
		}
		limits = append(limits, l)
	}
	trust, err = trusted(s, names)
	return limits, trust, err
}

// limit returns a limit of the settings, which is the i-th.
func (f *filter) limit(given *Limit, i int, names *when.Names) (*limit, error) {
	settings := *given // ours, whatever becomes of the other
	l := &limit{
		Limit: &settings, filter: f, shelf: f.shelf + " " + strconv.Itoa(i),
		most: int64(settings.Limit), window: store.Window{Length: settings.Window, Sliding: settings.WindowType != fixed},
	}
	var err error
	if l.key, err = newKey(l.Limit, names); err != nil {
		return nil, err
	}
	if a := l.action(); a == tempFail || a == reject || a == quarantine {
		source := l.Text
		if source == "" {
			source = defaultText(l.Limit)
		}
		if l.text, err = newWording(source, names); err != nil {
			return nil, fmt.Errorf("text: %w", err)
		}
	}
	if l.When != "" {
		if l.when, err = when.Compile(l.When, names); err != nil {
			return nil, fmt.Errorf("when: %w", err)
		}
	}
	return l, l.place()
}

// place finds out when l is counted, and whether it can be.
func (l *limit) place() error {
	known, single := l.key.known()
	switch l.What {
	case recipients:
		known = max(known, handlers.KindEnvelopeRecipient)
	case bytesSent:
		known = handlers.KindEndOfMessage
	}
	if l.when != nil {
		known = max(known, l.when.Needs().Stage)
	}
	switch {
	case known <= handlers.KindEnvelopeFrom:
		l.stage = handlers.KindEnvelopeFrom
	case known == handlers.KindEnvelopeRecipient:
		l.stage = known
	default:
		l.stage = handlers.KindEndOfMessage
	}
	whole := l.action() == discard || l.action() == quarantine
	switch {
	case single && l.stage == handlers.KindEndOfMessage:
		return errors.New("key: it is about single recipients, and what or when about what is known later, when there may be many: " +
			"leave the recipient out of key, or count messages or recipients without a condition about the text")
	case single && whole:
		return fmt.Errorf("action: the key is about single recipients, and %s about the whole message: write tempfail or reject", l.action())
	case l.text != nil && l.text.text.Needs().Stage > l.stage:
		return fmt.Errorf("text: there is something in it that is known from %v on, and the limit is counted at %v: leave it out",
			l.text.text.Needs().Stage, l.stage)
	}
	return nil
}

// conditional returns l as a handler, with its condition and what its texts need.
func (l *limit) conditional() (handlers.Handler, error) {
	h := l.handler()
	if l.when != nil {
		var err error
		if h, err = when.Handler(l.when, h); err != nil {
			return nil, fmt.Errorf("when: %w", err)
		}
	}
	for _, p := range l.key.parts {
		if p.text != nil {
			h = p.text.Around(h)
		}
	}
	if l.text != nil && strings.Contains(l.text.text.String(), "{{") {
		h = l.text.text.Around(h)
	}
	return h, nil
}

// trusted returns the condition under which there are limits at all; nil if there is none.
func trusted(s *Settings, names *when.Names) (*when.Program, error) {
	var all []string
	for i, network := range s.TrustedNetworks {
		source := fmt.Sprintf("!in_network(%q)", network)
		if _, err := when.Compile(source, names); err != nil {
			return nil, fmt.Errorf("trusted_networks[%d]: %q is no network, and there is none of this name: write one such as 192.0.2.0/24", i, network)
		}
		all = append(all, source)
	}
	if s.SkipAuthenticated {
		all = append(all, "!authenticated")
	}
	if len(all) == 0 {
		return nil, nil
	}
	p, err := when.Compile(strings.Join(all, " && "), names)
	if err != nil {
		return nil, fmt.Errorf("trusted_networks: %w", err)
	}
	return p, nil
}
