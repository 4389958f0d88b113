package handlers_test

import (
	"maps"
	"reflect"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

func TestShelf(t *testing.T) {
	shelf := newControl().Session().Shelf()
	if v, ok := shelf.Get("x"); v != nil || ok {
		t.Errorf("an empty shelf has %v", v)
	}
	shelf.Delete("x")
	shelf.Clear()
	shelf.Set("x", 1)
	shelf.Set("nil", nil)
	shelf.Set("x", 2)
	if v, ok := shelf.Get("x"); v != 2 || !ok {
		t.Errorf("x is %v, %v", v, ok)
	}
	if v, ok := shelf.Get("nil"); v != nil || !ok {
		t.Errorf("nil is %v, %v", v, ok)
	}
	copied := shelf.Map()
	all := shelf.All()
	for key := range all {
		shelf.Delete(key)
	}
	want := map[string]any{"x": 2, "nil": nil}
	if !reflect.DeepEqual(copied, want) || !reflect.DeepEqual(maps.Collect(all), want) {
		t.Errorf("%v, want %v", copied, want)
	}
	if got := shelf.Map(); len(got) > 0 {
		t.Errorf("left: %v", got)
	}
	shelf.Set("y", 1)
	copied = shelf.Map()
	copied["z"] = 1
	shelf.Clear()
	if got := shelf.Map(); len(got) > 0 {
		t.Errorf("left: %v", got)
	}
}

// What is put on the shelf before a message is there until its Result was told.
func TestShelfScope(t *testing.T) {
	var seen []any
	look := func(s *handlers.Session) {
		v, _ := s.Shelf().Get("x")
		seen = append(seen, v)
	}
	s := handlertest.New(t, handlers.Chain(
		handlers.On(func(s *handlers.Session, _ *protocol.Helo) handlers.Reply {
			s.Shelf().Set("x", 1)
			return handlers.Continue
		}),
		handlers.Observe(func(s *handlers.Session, _ *protocol.MailFrom) { look(s) }),
		handlers.Observe(func(s *handlers.Session, _ *handlers.Result) { look(s) }),
	))
	s.Do(&protocol.Helo{})
	s.Send(handlertest.Mail{})
	s.Send(handlertest.Mail{})
	s.Do(&protocol.Helo{})
	s.Do(mail("<a>"))
	s.Abort()
	s.Do(mail("<a>"))
	if want := []any{1, 1, nil, nil, 1, 1, nil}; !reflect.DeepEqual(seen, want) {
		t.Errorf("seen %v, want %v", seen, want)
	}
}
