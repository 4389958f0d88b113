package config

import (
	"fmt"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"

	"millstream/handlers/lists"
)

// A NetworkList is some networks: those of the file, or those of a file of their own.
type NetworkList struct {
	Entries []Network `toml:"entries,omitempty" short:"true" doc:"Networks and single addresses."`
	File    string    `toml:"file,omitempty" sample:"/etc/millstream/networks" doc:"File with a network a line. It is read again when it changes."`
}

// A WordList is a list of names, domains or addresses: those of the file, or those of a
// file of their own.
type WordList struct {
	Entries []string `toml:"entries,omitempty" short:"true" doc:"Entries as in the lines of a file."`
	File    string   `toml:"file,omitempty" sample:"/etc/millstream/list" doc:"File with an entry a line. It is read again when it changes."`
	Kind    string   `toml:"kind,omitempty" enum:"names,domains,addresses" doc:"What entries are, and so what they fit: just that, a domain with all below it, or parts of an address too. Without it names."`
}

// spec returns l as package lists has it.
func (l *NetworkList) spec(name string) lists.Spec {
	s := lists.Spec{Name: name, Place: "networks." + name, Kind: lists.Networks, Path: l.File}
	for _, n := range l.Entries {
		s.Entries = append(s.Entries, netip.Prefix(n).Masked().String())
	}
	return s
}

// spec returns l as package lists has it. A kind that is not known has been told.
func (l *WordList) spec(name string) lists.Spec {
	kind, err := lists.ParseKind(l.Kind)
	if err != nil {
		kind = lists.Names
	}
	return lists.Spec{Name: name, Place: "lists." + name, Kind: kind, Path: l.File, Entries: l.Entries}
}

// addLists adds all that has a name to a set.
func (c *Config) addLists(set *lists.Set) error {
	for name, l := range sortedLists(c.Networks) {
		if _, err := set.Add(l.spec(name)); err != nil {
			return err
		}
	}
	for name, l := range sortedLists(c.Lists) {
		if _, err := set.Add(l.spec(name)); err != nil {
			return err
		}
	}
	return nil
}

// sortedLists goes through lists in the order of their names.
func sortedLists[L any](all map[string]L) func(yield func(string, *L) bool) {
	return func(yield func(string, *L) bool) {
		for _, name := range slices.Sorted(maps.Keys(all)) {
			l := all[name]
			if !yield(name, &l) {
				return
			}
		}
	}
}

// A Lister is [Settings] that name lists of the configuration.
type Lister interface {
	// CheckLists tells wrong what cannot be about the lists, as Check does. set has all
	// that [networks] and [lists] name, not read.
	CheckLists(set *lists.Set, wrong func(key, text string))
}

// lists checks what has a name, and those that use it.
func (c *checker) lists(cfg *Config) {
	before := len(c.mistakes)
	for name, l := range sortedLists(cfg.Networks) {
		c.source(join("networks", name), l.File, l.Entries == nil)
	}
	for name, l := range sortedLists(cfg.Lists) {
		path := join("lists", name)
		if _, twice := cfg.Networks[name]; twice {
			c.at(path, "there are networks of that name: give each a name of its own")
		}
		c.source(path, l.File, l.Entries == nil)
		s := l.spec(name)
		for i, entry := range l.Entries {
			if _, _, err := lists.ParseEntry(s.Kind, entry); err != nil {
				c.at(c.entry(path, i), "%v", err)
			}
		}
	}
	set := lists.NewSet(lists.Config{})
	if len(c.mistakes) > before || cfg.addLists(set) != nil {
		return
	}
	for i := range cfg.Handlers {
		if user, ok := cfg.Handlers[i].Settings.(Lister); ok {
			user.CheckLists(set, func(key, text string) { c.at(join(handlerPath(i), key), "%s", text) })
		}
	}
}

// source checks where the entries of a list are. none says that the list has none of its
// own.
func (c *checker) source(path, file string, none bool) {
	switch {
	case c.root.find(path).kind != kindTable: // a list, or told already
	case file == "" && none:
		c.at(path, "there is nothing in it: write file = \"/path\", or entries = []")
	case file != "" && !none:
		c.at(path+".file", "there are entries too: leave one of them out")
	case file != "" && !filepath.IsAbs(file):
		c.at(path+".file", "%q has no place: write the path from / on", file)
	}
}

// entry returns the path of an entry of a list, which may be written without a table.
func (c *checker) entry(list string, i int) string {
	if c.root.find(list).kind == kindTable {
		list += ".entries"
	}
	return fmt.Sprintf("%s[%d]", list, i)
}
