package rule

import (
	"fmt"
	"log/slog"
	"strings"

	"millstream/handlers"
	"millstream/handlers/when"
	"millstream/protocol"
)

// end asks the rules for the last time, and changes the message.
func (f *filter) end(s *handlers.Session, msg *handlers.Message) handlers.Reply {
	found, err := f.ask(s, end)
	m := f.kept(s)
	switch {
	case err == nil && m != nil:
		err = m.err
	case m == nil:
		m = new(message)
	}
	if err != nil {
		return handlers.Failed(err)
	}
	if found.rule != nil && found.rule.verdict != accept {
		return found.rule.answer(s)
	}
	e := &edit{f: f, s: s, m: msg}
	if dropped := e.dropped(m, found.stop); dropped > 0 && dropped == m.count {
		return handlers.Discard
	}
	if msg.Err() == nil { // else somebody before has failed, and the session says so
		e.all(m, found)
	}
	switch {
	case e.err != nil:
		return handlers.Failed(e.err)
	case found.rule != nil:
		return handlers.Accept
	}
	return handlers.Continue
}

// An edit is the changes to one message.
type edit struct {
	f    *filter
	s    *handlers.Session
	m    *handlers.Message
	drop map[string]bool // recipients that are left out, as received
	gone ordered         // recipients to delete
	come ordered         // recipients to add
	err  error           // why the message is not to pass
}

// ordered are words without those that come twice.
type ordered struct {
	list []string
	seen map[string]bool
}

func (o *ordered) add(word string) {
	if o.seen == nil {
		o.seen = make(map[string]bool)
	}
	if !o.seen[word] {
		o.seen[word] = true
		o.list = append(o.list, word)
	}
}

// dropped finds the recipients that are left out, and returns how many there are. The
// rules from stop on were not asked.
func (e *edit) dropped(m *message, stop int) (count int) {
	for _, k := range m.marks {
		last := k.holds[len(k.holds)-1].rule // an action ends the rules
		if last < stop && e.f.rules[last].verdict == discard {
			if e.drop == nil {
				e.drop = make(map[string]bool)
			}
			e.drop[k.addr] = true
			count++
		}
	}
	return count
}

// all makes the changes of the rules that hold.
func (e *edit) all(m *message, found finding) {
	var tags []string
	var tagged *rule
	for _, i := range found.held {
		r := &e.f.rules[i]
		e.rule(r)
		if r.subject != nil {
			tags = append(tags, e.text(r.subject))
			if tagged == nil || r.required {
				tagged = r
			}
		}
	}
	if tagged != nil {
		e.change(tagged, "subject", subjectNeeds(e.s), tagged.required, func() error {
			TagSubject(e.s, e.m, tags...)
			return nil
		})
	}
	for _, k := range m.marks {
		e.mark(&k, found.stop)
	}
	if e.err != nil {
		return
	}
	for _, addr := range e.gone.list { // first: what one rule adds is not deleted for another
		e.m.DeleteRecipient(addr)
	}
	for _, addr := range e.come.list {
		e.m.AddRecipient(addr)
	}
}

// rule makes the changes of r that are of the message as a whole, but for the subject.
func (e *edit) rule(r *rule) {
	for _, h := range r.headers {
		line := e.text(h.line)
		e.change(r, "add_headers", protocol.ActionAddHeaders, r.required, func() error {
			e.m.AddHeader(h.name, strings.TrimSpace(line[min(len(h.name)+1, len(line)):]))
			return nil
		})
	}
	if r.quarantine != nil {
		reason := strings.TrimSpace(e.text(r.quarantine))
		if reason == "" {
			reason = r.name
		}
		e.change(r, "quarantine", protocol.ActionQuarantine, true, func() error {
			e.m.Quarantine(reason)
			return nil
		})
	}
	if r.sender != nil {
		e.change(r, "sender", protocol.ActionChangeFrom, r.required, func() error {
			addr, err := address(e.text(r.sender), true)
			if err == nil {
				e.m.ChangeFrom(addr)
			}
			return err
		})
	}
	for _, to := range r.add {
		e.change(r, "add_recipients", protocol.ActionAddRecipient, r.required, func() error {
			addr, err := address(e.text(to), false)
			if err == nil {
				e.come.add(addr)
			}
			return err
		})
	}
	if len(r.remove) > 0 {
		e.change(r, "delete_recipients", protocol.ActionDeleteRecipient, r.required, func() error { return e.remove(r) })
	}
}

// remove deletes the recipients that r names, if the message has them.
func (e *edit) remove(r *rule) error {
	have := e.s.Result()
	for _, text := range r.remove {
		addr, err := address(e.text(text), false)
		if err != nil {
			return err
		}
		found := false
		for _, old := range have.Recipients {
			if strings.EqualFold(strings.Trim(old, "<>"), strings.Trim(addr, "<>")) {
				found = true
				e.gone.add(old)
			}
		}
		if !found && have.Truncated { // then not all are known
			e.gone.add(addr)
		}
	}
	return nil
}

// mark makes the changes for one recipient.
func (e *edit) mark(k *mark, stop int) {
	for _, h := range k.holds {
		r := &e.f.rules[h.rule]
		switch {
		case h.rule >= stop:
		case r.verdict == discard:
			e.change(r, "discard", protocol.ActionDeleteRecipient, true, func() error {
				e.gone.add(k.addr)
				return nil
			})
		case r.rewrite == nil || e.drop[k.addr]:
		default:
			e.change(r, "rewrite_recipient", protocol.ActionDeleteRecipient|protocol.ActionAddRecipient, r.required, func() error {
				addr, err := address(h.to, false)
				if err == nil && strings.Trim(addr, "<>") != strings.Trim(k.addr, "<>") {
					e.gone.add(k.addr)
					e.come.add(addr)
				}
				return err
			})
		}
	}
}

// text makes a text.
func (e *edit) text(t *when.Text) string {
	text, err := t.Header(e.s)
	if err != nil && e.err == nil {
		e.err = err
	}
	return text
}

// change makes a change of r, unless the message is not to pass anyway. One that cannot
// be made is said once in the log; the message does not pass if it must be made.
func (e *edit) change(r *rule, what string, needs protocol.Actions, must bool, change func() error) {
	if e.err != nil {
		return
	}
	err := protocol.ErrInvalidAction
	if e.m.Can(needs) {
		if err = change(); err == nil {
			err = e.m.ClearErr()
		}
	}
	if err == nil || e.err != nil {
		return
	}
	if must {
		e.err = fmt.Errorf("milter: %s.%s cannot be done: %w", r.name, what, err)
		return
	}
	if _, said := e.f.said.LoadOrStore(r.name+"."+what, true); !said {
		e.f.log.LogAttrs(e.s.Context(), slog.LevelWarn,
			"a rule cannot change messages as it should, and they pass without it: set required = true to refuse them",
			slog.String("rule", r.name), slog.String("change", what), slog.String("needs", needs.String()), slog.Any("error", err))
	}
}
