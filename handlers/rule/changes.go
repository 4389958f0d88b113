package rule

import (
	"errors"
	"fmt"
	"strings"

	"millstream/handlers/when"
)

// changes are what a rule does to a message at its end.
type changes struct {
	any        bool // there is one
	required   bool
	headers    []header
	subject    *when.Text
	quarantine *when.Text
	sender     *when.Text
	add        []*when.Text // recipients
	remove     []*when.Text
	rewrite    *when.Text // in place of the recipient under way
}

// A header is one to add.
type header struct {
	name string
	line *when.Text // with its name
}

// changes makes the changes of a rule.
func (b *builder) changes(from *Rule, name string) (c changes) {
	c.required = from.Required
	for i, line := range from.AddHeaders {
		c.headers = append(c.headers, b.header(fmt.Sprintf("%s.add_headers[%d]", name, i), line))
	}
	if from.Subject != "" {
		c.subject = b.late(name+".subject", from.Subject)
	}
	if from.Quarantine != "" {
		c.quarantine = b.late(name+".quarantine", from.Quarantine)
	}
	if from.Sender != "" {
		c.sender = b.address(name+".sender", from.Sender, true, b.late)
	}
	if from.RewriteRecipient != "" {
		c.rewrite = b.address(name+".rewrite_recipient", from.RewriteRecipient, false, b.text)
	}
	for i, addr := range from.AddRecipients {
		c.add = append(c.add, b.address(fmt.Sprintf("%s.add_recipients[%d]", name, i), addr, false, b.late))
	}
	for i, addr := range from.DeleteRecipients {
		c.remove = append(c.remove, b.address(fmt.Sprintf("%s.delete_recipients[%d]", name, i), addr, false, b.late))
	}
	for _, set := range []struct {
		key string
		is  bool
	}{
		{"add_headers", len(c.headers) > 0},
		{"subject", from.Subject != ""},
		{"quarantine", from.Quarantine != ""},
		{"sender", from.Sender != ""},
		{"rewrite_recipient", from.RewriteRecipient != ""},
		{"add_recipients", len(c.add) > 0},
		{"delete_recipients", len(c.remove) > 0},
	} {
		if !set.is {
			continue
		}
		c.any = true
		if v := verdicts[from.Action]; v.refuses() || v == discard {
			b.fail(name+"."+set.key, fmt.Errorf("nothing is changed with %s: leave it out, or leave out action", from.Action))
		}
	}
	if from.Required && !c.any {
		b.fail(name+".required", errors.New("there is nothing to change: leave it out"))
	}
	return c
}

// header makes a header to add.
func (b *builder) header(key, line string) header {
	name, _, found := strings.Cut(line, ":")
	bad := func(r rune) bool { return r < '!' || r > '~' }
	if !found || name == "" || strings.ContainsFunc(name, bad) {
		b.fail(key, fmt.Errorf("%q has no name of a header in front: write Name: text", line))
		return header{}
	}
	return header{name: name, line: b.late(key, line)}
}

// address makes an address; compile compiles it.
func (b *builder) address(key, source string, null bool, compile func(key, source string) *when.Text) *when.Text {
	if !strings.Contains(source, "{{") {
		if _, err := address(source, null); err != nil {
			b.fail(key, err)
		}
	}
	return compile(key, source)
}

// address returns an address as it is sent, in its brackets. null says that it may be
// the null sender.
func address(text string, null bool) (string, error) {
	addr := strings.TrimSpace(text)
	if null && addr == "<>" {
		return addr, nil
	}
	if strings.HasPrefix(addr, "<") && strings.HasSuffix(addr, ">") {
		addr = addr[1 : len(addr)-1]
	}
	bad := func(r rune) bool { return r <= ' ' || r == 0x7f || r == '<' || r == '>' }
	if addr == "" || strings.ContainsFunc(addr, bad) {
		return "", fmt.Errorf("%q is no address: write one as in user@example.com", text)
	}
	return "<" + addr + ">", nil
}
