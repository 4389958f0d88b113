package lists

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Spec says what a list is.
type Spec struct {
	// Name is what the list is called, in the log and in [Set.List]. A list with a path
	// needs none: it is called after it.
	Name string

	// Place is where Entries stand, for messages about them. Empty means Name.
	Place string

	// Kind is the kind of all entries.
	Kind Kind

	// Path is the file that has the entries, one a line.
	Path string

	// Entries are the entries of a list without a path. They do not change.
	Entries []string
}

// place returns what an entry is called in messages.
func (s *Spec) place(entry int) string { return fmt.Sprintf("%s[%d]", cmp.Or(s.Place, s.Name), entry) }

// A List is a list of a [Set]. Its methods may be called from any goroutine.
type List struct {
	spec     Spec
	limits   *Config
	meanings []func(*parser) any // of each View
	content  atomic.Pointer[content]

	mu     sync.Mutex
	status Status

	// These belong to whoever reads the list: Open, then the goroutine of the set.
	loaded fs.FileInfo // the file that was read last, whatever came of it
	seen   fs.FileInfo // the file as it was when a change was seen last
	broken error       // what is wrong in the loaded file
}

// content is what a list is at some time. It does not change.
type content struct {
	table    *table
	meanings []any // []V of each View[V]
}

// A Status is how a list stands.
type Status struct {
	Name     string
	Kind     Kind
	Path     string    // empty for one whose entries stand in a configuration
	Entries  int       // that are looked up
	Repeated int       // that do not count, since their key was there before
	Changed  time.Time // when the file that is in use was changed last
	Read     time.Time // when it was read
	Err      error     // why the file as it is now is not in use; nil if it is
}

// Name returns the name of l, or where its entries stand if it has none.
func (l *List) Name() string { return cmp.Or(l.spec.Name, l.spec.Place) }

// Kind returns the kind of its entries.
func (l *List) Kind() Kind { return l.spec.Kind }

// Ready reports whether l was read, so that a key that is not found is not there.
func (l *List) Ready() bool { return l.content.Load() != nil }

// Has reports whether an entry fits key.
func (l *List) Has(key string) bool {
	c := l.content.Load()
	if c == nil {
		return false
	}
	_, ok := find(c.table, key)
	return ok
}

// HasAddr reports whether addr is in a network of l.
func (l *List) HasAddr(addr netip.Addr) bool {
	c := l.content.Load()
	if c == nil {
		return false
	}
	_, ok := c.table.findAddr(addr)
	return ok
}

// Status returns how l stands.
func (l *List) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status
}

// load reads the list, whatever there was before.
func (l *List) load() error {
	if l.spec.Path != "" {
		info, err := regular(l.spec.Path)
		if err != nil {
			return err
		}
		return l.readFile(info)
	}
	c, broken, err := l.parse(strings.NewReader(strings.Join(l.spec.Entries, "\n")), func(line int) string {
		return l.spec.place(line - 1)
	})
	if c != nil {
		l.use(c, time.Time{})
	}
	return errors.Join(broken, err)
}

// regular returns what file a path is. One that would have to be waited for is none.
func regular(path string) (fs.FileInfo, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", path)
	}
	return info, err
}

// readFile reads the file. If all of it could be read, it is the loaded one from then
// on, and what is wrong in it, which the error tells, is broken.
func (l *List) readFile(info fs.FileInfo) error {
	f, err := os.Open(l.spec.Path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	c, broken, err := l.parse(f, func(line int) string { return fmt.Sprintf("%s:%d", l.spec.Path, line) })
	if err != nil {
		return err
	}
	l.loaded, l.broken = info, broken
	if c != nil {
		l.use(c, info.ModTime())
	}
	return broken
}

// parse makes the content of a list. broken has the mistakes in it, in place of content;
// err is that of r.
func (l *List) parse(r io.Reader, place func(line int) string) (c *content, broken, err error) {
	p := newParser(l.spec.Kind, l.limits, place)
	if err := p.read(r); err != nil {
		return nil, nil, err
	}
	var meanings []any
	for _, meaning := range l.meanings {
		meanings = append(meanings, meaning(p))
	}
	t, broken := p.done()
	if broken != nil {
		return nil, broken, nil
	}
	return &content{t, meanings}, nil, nil
}

// use makes c what l is.
func (l *List) use(c *content, changed time.Time) {
	l.content.Store(c)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status = Status{
		Name: l.spec.Name, Kind: l.spec.Kind, Path: l.spec.Path,
		Entries: c.table.entries, Repeated: c.table.repeated, Changed: changed, Read: time.Now(),
	}
}

// fails notes why the file is not in use, nil if it is, and returns why it was not
// before.
func (l *List) fails(err error) (before error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before = l.status.Err
	l.status.Err = err
	return before
}
