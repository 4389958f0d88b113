package ratelimit

import (
	"cmp"
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
// filters apart. log may be nil, which is [slog.Default]. The error joins what
// [Settings.Mistakes] returns.
func New(
	s *Settings, names *when.Names, counters store.Counters, meter metric.Meter, log *slog.Logger, labels ...attribute.KeyValue,
) (handlers.Handler, error) {
	f := &filter{counters: counters, log: log}
	f.shelf = fmt.Sprintf("ratelimit %p", f)
	limits, trust, mistakes := f.compile(s, names)
	if err := mistakes.Err(); err != nil {
		return nil, err
	}
	if counters == nil {
		return nil, fmt.Errorf("%w: store of ratelimit", handlers.ErrNull)
	}
	if log == nil {
		f.log = slog.Default()
	}
	var list []handlers.Handler
	var err error
	for i, l := range limits {
		if l.counts, err = newCounts(meter, l.Name, labels); err != nil {
			return nil, err
		}
		h, err := l.conditional()
		if err != nil {
			return nil, &when.SettingError{Key: limitKey(i, "when"), Err: err}
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

// compile makes the limits of settings, and the condition under which there are any. They
// are of use if there are no mistakes.
func (f *filter) compile(s *Settings, names *when.Names) (limits []*limit, trust *when.Program, mistakes when.Mistakes) {
	s.Check(mistakes.AddText)
	for i := range s.Limits {
		l, wrong := f.limit(&s.Limits[i], i, names)
		for _, e := range wrong {
			mistakes.Add(limitKey(i, e.Key), e.Err)
		}
		limits = append(limits, l)
	}
	trust = trusted(s, names, &mistakes)
	return limits, trust, mistakes
}

// limitKey returns a key of the i-th limit as one of the settings.
func limitKey(i int, key string) string { return fmt.Sprintf("limit[%d].%s", i, key) }

// limit returns a limit of the settings, which is the i-th, with its mistakes.
func (f *filter) limit(given *Limit, i int, names *when.Names) (*limit, when.Mistakes) {
	settings := *given // ours, whatever becomes of the other
	l := &limit{
		Limit: &settings, filter: f, shelf: f.shelf + " " + strconv.Itoa(i),
		most: int64(settings.Limit), window: store.Window{Length: settings.Window, Sliding: settings.WindowType != fixed},
	}
	var mistakes when.Mistakes
	var err error
	l.key = newKey(l.Limit, names, &mistakes)
	if a := l.action(); a == tempFail || a == reject || a == quarantine {
		l.text, err = newWording(cmp.Or(l.Text, defaultText(l.Limit)), names)
		mistakes.Add("text", err)
	}
	if l.When != "" {
		l.when, err = when.Compile(l.When, names)
		mistakes.Add("when", err)
	}
	if mistakes == nil { // else it is not known when it could be counted
		l.place(&mistakes)
	}
	return l, mistakes
}

// place finds out when l is counted, and whether it can be.
func (l *limit) place(mistakes *when.Mistakes) {
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
		mistakes.Add("key", errors.New("it is about single recipients, and what or when about what is known later, when there may be many: "+
			"leave the recipient out of key, or count messages or recipients without a condition about the text"))
	case single && whole:
		mistakes.Add("action", fmt.Errorf("the key is about single recipients, and %s about the whole message: write tempfail or reject", l.action()))
	case l.text != nil && l.text.text.Needs().Stage > l.stage:
		mistakes.Add("text", fmt.Errorf("there is something in it that is known from %v on, and the limit is counted at %v: leave it out",
			l.text.text.Needs().Stage, l.stage))
	}
}

// conditional returns l as a handler, with its condition and what its texts need.
func (l *limit) conditional() (handlers.Handler, error) {
	h := l.handler()
	if l.when != nil {
		var err error
		if h, err = when.Handler(l.when, h); err != nil {
			return nil, err
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
func trusted(s *Settings, names *when.Names, mistakes *when.Mistakes) *when.Program {
	var all []string
	for i, network := range s.TrustedNetworks {
		if _, err := names.Network(network); err != nil {
			mistakes.Add(fmt.Sprintf("trusted_networks[%d]", i), err)
			continue
		}
		all = append(all, fmt.Sprintf("!in_network(%q)", network))
	}
	if s.SkipAuthenticated {
		all = append(all, "!authenticated")
	}
	if len(all) == 0 {
		return nil
	}
	p, err := when.Compile(strings.Join(all, " && "), names)
	mistakes.Add("trusted_networks", err)
	return p
}
