package lists_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"millstream/handlers/handlertest"
	"millstream/handlers/lists"
)

func TestAdd(t *testing.T) {
	set := lists.NewSet(lists.Config{Interval: -1})
	path, other := write(t, "a"), write(t, "b")
	add := func(spec lists.Spec) *lists.List {
		t.Helper()
		l, err := set.Add(spec)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	vip := add(lists.Spec{Name: "vip", Kind: lists.Names, Path: path})
	if add(lists.Spec{Kind: lists.Names, Path: path}) != vip {
		t.Error("one file is two lists")
	}
	if add(lists.Spec{Kind: lists.Domains, Path: path}) == vip {
		t.Error("one list has two kinds")
	}
	inline := add(lists.Spec{Name: "inline", Kind: lists.Names, Entries: []string{"x", "y value"}})
	nameless := add(lists.Spec{Place: "rule[0]", Kind: lists.Names, Entries: []string{"z"}})
	for want, spec := range map[string]lists.Spec{
		`two lists are called "vip"`: {Name: "vip", Kind: lists.Names, Path: other},
		`are called "inline"`:        {Name: "inline", Kind: lists.Names, Entries: []string{"x"}},
		"there[0]: ":                 {Place: "there", Kind: lists.Networks, Entries: []string{"x"}},
		"has no kind":                {Name: "none", Path: other},
		"here[1]: ":                  {Name: "here", Kind: lists.Networks, Entries: []string{"192.0.2.1", "x"}},
	} {
		if _, err := set.Add(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", spec, err, want)
		}
	}
	if err := set.Open(); err != nil {
		t.Fatal(err)
	}
	if err := set.Open(); err == nil {
		t.Error("a set is opened twice")
	}
	if _, err := set.Add(lists.Spec{Kind: lists.Names, Path: other}); err == nil {
		t.Error("a list is added to an open set")
	}
	if set.List("vip") != vip || set.List("inline") != inline || set.List("rule[0]") != nil || set.List("") != nil {
		t.Error("List finds another list")
	}
	if names := set.Names(); !slices.Equal(names, []string{"vip", path, "inline"}) {
		t.Errorf("names %v", names)
	}
	if !inline.Has("X") || !inline.Has("y") || !vip.Has("a") || vip.Kind() != lists.Names || !nameless.Has("z") || nameless.Name() != "rule[0]" {
		t.Error("entries are not found")
	}
	if all := set.Status(); len(all) != 2 || all[0].Name != "vip" || all[0].Entries != 1 || all[0].Changed.IsZero() || all[0].Err != nil {
		t.Errorf("status %+v", all)
	}
	set.Close()
}

// A rig is a set with one list of one file, in a bubble where time can be made to pass.
type rig struct {
	t    *testing.T
	path string
	log  handlertest.Log
	set  *lists.Set
	list *lists.List
}

const interval = time.Minute

// inBubble runs f with a rig whose list has the name "old". What the set began must have
// ended when it is closed.
func inBubble(t *testing.T, f func(*rig)) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	path := write(t, "old")
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, path: path}
		r.set = lists.NewSet(lists.Config{Interval: interval, Log: logger(&r.log)})
		var err error
		if r.list, err = r.set.Add(lists.Spec{Name: "list", Kind: lists.Names, Path: path}); err != nil {
			t.Fatal(err)
		}
		lists.As(r.list, asText)
		if err := r.set.Open(); err != nil {
			t.Fatal(err)
		}
		f(r)
		r.set.Close()
		r.set.Close()
	})
}

// pass lets the set look at its files some times.
func (r *rig) pass(times int) {
	for range times {
		time.Sleep(interval)
		synctest.Wait()
	}
}

// logged checks what was logged since the last call.
func (r *rig) logged(want ...string) {
	r.t.Helper()
	got := strings.ReplaceAll(r.log.Take(), r.path, "PATH")
	if wanted := strings.Join(append(want, ""), "\n"); got != wanted {
		r.t.Errorf("logged\n%swant\n%s", got, wanted)
	}
}

// has checks that one name is in the list, and another is not.
func (r *rig) has(yes, no string) {
	r.t.Helper()
	if !r.list.Has(yes) || r.list.Has(no) {
		r.t.Errorf("%s: %v, %s: %v", yes, r.list.Has(yes), no, r.list.Has(no))
	}
}

const listRead = `level=INFO msg="list read" list=list entries=1`

func TestReload(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.pass(3)
		r.logged()
		rewrite(t, r.path, "new")
		r.pass(1)
		r.has("old", "new") // it may still be written to
		r.pass(1)
		r.has("new", "old")
		r.logged(listRead)
		r.pass(3)
		r.logged()
		// One that is written in place is read when it has come to rest.
		if err := os.WriteFile(r.path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		r.pass(1)
		if err := os.WriteFile(r.path, []byte("whole"), 0o600); err != nil {
			t.Fatal(err)
		}
		r.pass(1)
		r.has("new", "half")
		r.pass(1)
		r.has("whole", "half")
		r.logged(listRead)
		if s := r.list.Status(); s.Err != nil || !s.Read.Equal(time.Now()) {
			t.Errorf("status %+v", s)
		}
	})
}

// A broken file is told once for each change, and what was there stays in use.
func TestReloadBroken(t *testing.T) {
	inBubble(t, func(r *rig) {
		for range 2 {
			rewrite(t, r.path, "new", "name BAD")
			r.pass(5)
			r.has("old", "new")
			r.logged(`level=ERROR msg="list not read, the one before stays in use" list=list error="PATH:2: that is no value"`)
		}
		if s := r.list.Status(); s.Err == nil || s.Entries != 1 {
			t.Errorf("status %+v", s)
		}
		rewrite(t, r.path, "mended")
		r.pass(2)
		r.has("mended", "old")
		r.logged(listRead)
		if s := r.list.Status(); s.Err != nil {
			t.Errorf("status %+v", s)
		}
	})
}

// A file that goes away takes nothing with it.
func TestReloadGone(t *testing.T) {
	inBubble(t, func(r *rig) {
		if err := os.Rename(r.path, r.path+".away"); err != nil {
			t.Fatal(err)
		}
		r.pass(5)
		r.has("old", "new")
		r.logged(`level=ERROR msg="list not read, the one before stays in use" list=list error="stat PATH: no such file or directory"`)
		if err := os.Mkdir(r.path, 0o700); err != nil {
			t.Fatal(err)
		}
		r.pass(2)
		r.logged(`level=ERROR msg="list not read, the one before stays in use" list=list error="PATH is no regular file"`)
		if err := os.Remove(r.path); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(r.path+".away", r.path); err != nil {
			t.Fatal(err)
		}
		r.pass(2)
		r.has("old", "new")
		r.logged(`level=INFO msg="list in use again" list=list`)
		if s := r.list.Status(); s.Err != nil {
			t.Errorf("status %+v", s)
		}
	})
}

// After Close nothing is read any more, but what was read is there.
func TestClose(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.set.Close()
		rewrite(t, r.path, "new")
		r.pass(3)
		r.has("old", "new")
	})
}

// A set that could not be opened runs nothing, and can be opened when its files are mended.
func TestOpenAgain(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	path := write(t, "x..y")
	set := lists.NewSet(lists.Config{})
	l, err := set.Add(lists.Spec{Kind: lists.Domains, Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Open(); err == nil {
		t.Fatal("opened")
	}
	set.Close()
	rewrite(t, path, "x.y")
	if err := set.Open(); err != nil || !l.Has("x.y") {
		t.Errorf("opened again: %v", err)
	}
	set.Close()
}
