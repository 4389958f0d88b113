package lists

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// Config sets how lists are read. The zero Config is ready to use.
type Config struct {
	// Interval is how often each file is looked at for changes. Zero means 10 s,
	// negative never.
	Interval time.Duration

	// MaxLine is how long a line of a file may be, in bytes. Zero means 2048.
	MaxLine int

	// MaxEntries is how many entries a list may have. Zero means five million.
	MaxEntries int

	// Log takes the log. Nil means slog.Default.
	Log *slog.Logger
}

// A Set is the lists of a server. They are added, then opened all at once, and from then
// on kept up to date by one goroutine until the set is closed.
type Set struct {
	cfg    Config
	lists  []*List
	opened bool
	cancel context.CancelFunc // nil if no goroutine runs
	done   chan struct{}
}

// NewSet returns a set without lists.
func NewSet(cfg Config) *Set {
	if cfg.Interval == 0 {
		cfg.Interval = 10 * time.Second
	}
	if cfg.MaxLine <= 0 {
		cfg.MaxLine = 2048
	}
	if cfg.MaxEntries <= 0 {
		cfg.MaxEntries = 5_000_000
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Set{cfg: cfg, done: make(chan struct{})}
}

// Add adds a list, which is not read before Open. A file that was added before with the
// same kind is the same list, and is read and kept once. The error is about a name that
// another list has, a kind that does not exist, or an entry, with its place in
// Spec.Entries.
func (s *Set) Add(spec Spec) (*List, error) {
	if s.opened {
		return nil, errors.New("the lists are open: add all of them before")
	}
	if spec.Kind < Networks || spec.Kind > Addresses {
		return nil, fmt.Errorf("list %q has no kind", spec.Name)
	}
	if spec.Path == "" {
		for i, entry := range spec.Entries {
			if _, _, err := ParseEntry(spec.Kind, entry); err != nil {
				return nil, fmt.Errorf("%s: %w", spec.place(i), err)
			}
		}
	}
	for _, l := range s.lists {
		shared := spec.Path != "" && l.spec.Path == spec.Path && l.spec.Kind == spec.Kind
		switch {
		case shared && (spec.Name == "" || spec.Name == l.spec.Name):
			return l, nil
		case spec.Name != "" && spec.Name == l.spec.Name:
			return nil, fmt.Errorf("two lists are called %q: give each a name of its own", spec.Name)
		}
	}
	if spec.Name == "" {
		spec.Name = spec.Path
	}
	return s.add(spec), nil
}

func (s *Set) add(spec Spec) *List {
	l := &List{spec: spec, limits: &s.cfg, status: Status{Name: spec.Name, Kind: spec.Kind, Path: spec.Path}}
	s.lists = append(s.lists, l)
	return l
}

// files returns the lists that have a file.
func (s *Set) files() []*List {
	return slices.DeleteFunc(slices.Clone(s.lists), func(l *List) bool { return l.spec.Path == "" })
}

// List returns the list of a name; nil if there is none.
func (s *Set) List(name string) *List {
	for _, l := range s.lists {
		if name != "" && l.spec.Name == name {
			return l
		}
	}
	return nil
}

// Names returns the names that [Set.List] knows.
func (s *Set) Names() []string {
	var names []string
	for _, l := range s.lists {
		if l.spec.Name != "" {
			names = append(names, l.spec.Name)
		}
	}
	return names
}

// Status returns how the lists with a file stand.
func (s *Set) Status() []Status {
	var all []Status
	for _, l := range s.files() {
		all = append(all, l.Status())
	}
	return all
}

// Open reads all lists, and begins to look for changes. The error has the mistakes of
// all lists, each with its file and line; then nothing was begun, and the set may be
// opened again.
func (s *Set) Open() error {
	if s.opened {
		return errors.New("the lists are open already")
	}
	var errs []error
	for _, l := range s.lists {
		if err := l.load(); err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	s.opened = true
	if s.cfg.Interval > 0 && len(s.files()) > 0 {
		ctx, cancel := context.WithCancel(context.Background())
		s.cancel = cancel
		go s.watch(ctx)
	}
	return nil
}

// Close ends the search for changes, and waits for a file that is being read. What was
// read can be looked up further. To close a set again, or one that is not open, does
// nothing.
func (s *Set) Close() {
	if s.cancel != nil {
		s.cancel()
		<-s.done
	}
}
