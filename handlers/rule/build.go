package rule

import (
	"errors"
	"fmt"

	"millstream/handlers"
	"millstream/handlers/when"
)

// A rule is a Rule in use. It does not change.
type rule struct {
	name  string
	holds *when.Program
	at    handlers.Kind // when it is asked; not before those in front of it that end the rules
	each  bool          // it is about the recipient under way
	ends  bool          // no other rule is asked where it holds
	action
	changes
}

const (
	connect = handlers.KindConnect
	mail    = handlers.KindEnvelopeFrom
	rcpt    = handlers.KindEnvelopeRecipient
	end     = handlers.KindEndOfMessage
)

// builder makes rules of settings.
type builder struct {
	group    *when.Group
	rules    []rule
	mistakes when.Mistakes

	before  handlers.Kind // when the rules so far that end them have been asked
	cause   string        // the rule that is why
	all     string        // a rule that is for all, and ends them
	pending string        // a rule whose changes must not be lost by one behind it
}

// build makes the rules of list, which are called by name in messages.
func build(list []Rule, names *when.Names, name func(i int) string) *builder {
	b := &builder{group: when.NewGroup(names), before: connect}
	if len(list) == 0 {
		b.fail("rule", errors.New("there is no rule: write [[handler.rule]] with when, and action or what to change"))
	}
	for i := range list {
		b.add(&list[i], name(i))
	}
	return b
}

// fail notes a mistake.
func (b *builder) fail(key string, err error) { b.mistakes.Add(key, err) }

// add adds a rule.
func (b *builder) add(from *Rule, name string) {
	if b.all != "" {
		b.fail(name, fmt.Errorf("it is never asked, as %s is for all and ends the rules: move that to the end, or set continue = true there", b.all))
	}
	r := rule{name: name, ends: !from.Continue, action: b.action(from, name), changes: b.changes(from, name)}
	source := from.When
	if source == "" {
		source = "true"
	}
	var err error
	if r.holds, err = b.group.Compile(source); err != nil {
		b.fail(name+".when", err)
		return
	}
	switch {
	case r.ends || !r.verdict.none() || r.changes.any:
	default:
		b.fail(name, errors.New("it does nothing: write action or what to change, or leave out continue to end the rules"))
	}
	b.place(&r, from)
	b.rules = append(b.rules, r)
	if r.ends && from.When == "" {
		b.all = name
	}
	if (r.changes.any || r.verdict == discard) && (!r.ends || r.each) {
		b.pending = name
	}
}

// place works out when r is asked, and whether that is for each recipient.
func (b *builder) place(r *rule, from *Rule) {
	needs := r.holds.Needs()
	at := needs.Stage
	if !r.refuses() && needs.Final != 0 {
		at = needs.Final // what grows is asked when it is whole
	}
	r.each = needs.Each || r.rewrite != nil || r.refuses() && at == rcpt
	if r.each {
		at = rcpt
	}
	if r.rewrite != nil && needs.Stage > rcpt {
		b.fail(r.name+".rewrite_recipient", fmt.Errorf("there is no recipient under way any more when the expression can be asked, at %v: "+
			"write add_recipients and delete_recipients, or an expression about what is known at %v", needs.Stage, rcpt))
	}
	if r.verdict == discard {
		at = max(at, mail)
	}
	if r.verdict == accept && (r.changes.any || b.pending != "") {
		at = end // to accept sooner would lose the changes
	}
	if r.refuses() && r.each && b.before > rcpt {
		b.fail(r.name+".action", fmt.Errorf("no recipient can be refused any more when %s has been asked, at %v: move this rule up, or write discard", b.cause, b.before))
	}
	r.at = max(at, b.before)
	r.each = r.each || r.at == rcpt
	if r.verdict == accept && r.each {
		b.fail(r.name+".action", errors.New("a rule about recipients, or behind one, decides for one recipient alone, and a message is accepted as a whole: "+
			"leave out action, or move the rule up"))
	}
	if r.ends && r.at > b.before {
		b.before, b.cause = r.at, r.name
	}
	b.texts(r, from)
}

// texts checks that what the texts of r use is known where they are made.
func (b *builder) texts(r *rule, from *Rule) {
	for _, line := range r.lines {
		if n := line.Needs(); n.Stage > r.at || n.Each && !r.each {
			b.fail(r.name+".text", fmt.Errorf("%q uses what is not known when the rule is asked, at %v", from.Text, r.at))
		}
	}
	if r.rewrite != nil && r.rewrite.Needs().Stage > rcpt {
		b.fail(r.name+".rewrite_recipient", fmt.Errorf("%q uses what is known from %v on, and is made at %v", from.RewriteRecipient, r.rewrite.Needs().Stage, rcpt))
	}
}

// text compiles a text; nil if there is a mistake in it.
func (b *builder) text(key, source string) *when.Text {
	t, err := b.group.Template(source)
	if err != nil {
		b.fail(key, err)
		return nil
	}
	return t
}

// late compiles a text that is made at the end of the message.
func (b *builder) late(key, source string) *when.Text {
	t := b.text(key, source)
	if t != nil && t.Needs().Each {
		b.fail(key, fmt.Errorf("%q is made at the end of the message, where no recipient is under way: write what is of the message, such as {{join(rcpts, \", \")}}", source))
		return nil
	}
	return t
}
