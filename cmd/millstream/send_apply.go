package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"millstream/protocol"
)

// A sendChange is one change that the milter asked for.
type sendChange struct {
	Change string   `json:"change"`
	Index  *uint32  `json:"index,omitempty"`
	Name   string   `json:"name,omitempty"` // of a header; an address; a reason
	Value  string   `json:"value,omitempty"`
	Params []string `json:"params,omitempty"`
	Bytes  *int     `json:"bytes,omitempty"` // of a new body
	Note   string   `json:"note,omitempty"`  // what is odd about it
}

// String returns the change as a line, or as many as its value has.
func (c *sendChange) String() string {
	s := fmt.Sprintf("%-16s", c.Change)
	switch {
	case c.Bytes != nil:
		s += fmt.Sprintf(" %d bytes", *c.Bytes)
	case c.Index != nil:
		s += fmt.Sprintf(" %s [%d]", c.Name, *c.Index)
	default:
		s += " " + c.Name
	}
	if c.Value != "" {
		s += ": " + strings.TrimPrefix(c.Value, " ")
	}
	if len(c.Params) > 0 {
		s += " " + strings.Join(c.Params, " ")
	}
	if c.Note != "" {
		s += "  (" + c.Note + ")"
	}
	return printable(s)
}

// A letterEditor makes changes as MTAs do.
type letterEditor struct {
	*letter
	leading  bool // values come with their space
	sendmail bool
}

// apply makes changes in order and returns them with what is odd about each. The
// pieces of a new body are one.
func (l *letter) apply(answers []protocol.Answer, leading, sendmail bool) []sendChange {
	e := letterEditor{l, leading, sendmail}
	var changes []sendChange
	var pieces [][]byte
	body := -1
	for i := range answers {
		a := &answers[i]
		if a.Code == protocol.CodeReplaceBody && body >= 0 {
			pieces = append(pieces, a.Value)
			continue
		}
		c := sendChange{Change: a.Code.String(), Name: a.Name.String()}
		if a.Code == protocol.CodeReplaceBody {
			body, pieces = len(changes), append(pieces, a.Value)
		} else {
			e.edit(a, &c)
		}
		changes = append(changes, c)
	}
	if body >= 0 {
		l.body = bytes.Join(pieces, nil)
		n := len(l.body)
		changes[body].Bytes = &n
	}
	return changes
}

// edit makes a change.
func (e letterEditor) edit(a *protocol.Answer, c *sendChange) {
	switch a.Code {
	case protocol.CodeAddHeader:
		c.Value = a.Value.String()
		e.fields = append(e.fields, e.field(a))
	case protocol.CodeInsertHeader:
		c.Index, c.Value = &a.Index, a.Value.String()
		e.insert(a, c)
	case protocol.CodeChangeHeader:
		c.Index, c.Value = &a.Index, a.Value.String()
		if c.Value == "" {
			c.Change = "delete-header"
		}
		e.change(a, c)
	case protocol.CodeChangeFrom:
		e.from = mailboxOf(a)
		c.Name, c.Params = e.from.addr, e.from.params
	case protocol.CodeAddRecipient, protocol.CodeAddRecipientParams:
		to := mailboxOf(a)
		c.Change, c.Name, c.Params = protocol.CodeAddRecipient.String(), to.addr, to.params
		if e.has(to) {
			c.Note = "is one already: not added again"
			return
		}
		e.to = append(e.to, to)
	case protocol.CodeDeleteRecipient:
		to := mailboxOf(a)
		c.Name = to.addr
		if !e.has(to) {
			c.Note = "is none: nothing is deleted"
		}
		e.to = slices.DeleteFunc(e.to, to.same)
	case protocol.CodeQuarantine:
		e.held, e.isHeld = a.Name.String(), true
	default:
		c.Note = "not known here: left out"
	}
}

// field returns a header field from the milter.
func (e letterEditor) field(a *protocol.Answer) letterField {
	f := letterField{name: a.Name.String(), value: a.Value.String()}
	if !e.leading {
		f.value = " " + f.value
	}
	return f
}

// insert inserts a field. Index 0 is the top, above the field that the MTA added,
// which counts.
func (e letterEditor) insert(a *protocol.Answer, c *sendChange) {
	i := int(a.Index)
	if i > len(e.fields) {
		i, c.Note = len(e.fields), "there are fewer: added at the end"
	}
	e.fields = slices.Insert(e.fields, i, e.field(a))
}

// change changes or deletes a field. One that is not there is added.
func (e letterEditor) change(a *protocol.Answer, c *sendChange) {
	f := e.field(a)
	i, same := e.find(f.name, int(a.Index))
	switch {
	case i < 0 && c.Value == "":
		c.Note = fmt.Sprintf("there are %d: nothing is deleted", same)
	case i < 0:
		c.Note = fmt.Sprintf("there are %d: added", same)
		e.fields = append(e.fields, f)
	case c.Value != "":
		if e.sendmail {
			f.name = e.fields[i].name
		}
		e.fields[i] = f
	case e.sendmail: // the fields after it keep their numbers
		e.fields[i].gone = true
	default:
		e.fields = slices.Delete(e.fields, i, i+1)
	}
}

// find returns the place of the field of a name and a number, the first being 1, or
// -1; and how many of that name there are. What stands at the top is skipped: it is
// taken for the one that the MTA added. Sendmail knows better.
func (e letterEditor) find(name string, number int) (i, same int) {
	number = max(1, number)
	for i, f := range e.fields {
		skip := i == 0
		if e.sendmail {
			skip = f.own
		}
		if skip || !strings.EqualFold(f.name, name) {
			continue
		}
		if same++; same == number {
			return i, same
		}
	}
	return -1, same
}

// has reports whether an address is among the recipients.
func (l *letter) has(to mailbox) bool { return slices.ContainsFunc(l.to, to.same) }

// same reports whether two addresses are the same to an MTA.
func (m mailbox) same(n mailbox) bool { return strings.EqualFold(m.addr, n.addr) }

// mailboxOf returns the address in a change, with its parameters.
func mailboxOf(a *protocol.Answer) mailbox {
	addr := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(a.Name.String()), "<"), ">")
	m := mailbox{addr: "<" + addr + ">"}
	if params := strings.Fields(a.Value.String()); len(params) > 0 {
		m.params = params
	}
	return m
}
