package rule_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/rule"
	"millstream/handlers/when"
	"millstream/protocol"
)

var names = &when.Names{
	Networks: map[string]when.Network{"trusted": when.Prefixes(netip.MustParsePrefix("192.0.2.0/24"))},
	Lists:    map[string]when.List{"vip": when.Words("boss@example.com")},
}

// filter returns the filter of some rules.
func filter(t testing.TB, rules ...rule.Rule) handlers.Handler {
	t.Helper()
	h, err := rule.New(&rule.Settings{Rules: rules}, names, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func from(ip string) *protocol.Connect {
	return &protocol.Connect{Host: protocol.View("client.example.org"), Addr: protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr(ip)}}
}

func helo(name string) *protocol.Helo { return &protocol.Helo{Name: protocol.View(name)} }

func mail(addr string) *protocol.MailFrom { return &protocol.MailFrom{Addr: protocol.View(addr)} }

func rcpt(addr string) *protocol.RcptTo { return &protocol.RcptTo{Addr: protocol.View(addr)} }

func header(name, value string) *protocol.Header {
	return &protocol.Header{Name: protocol.View(name), Value: protocol.View(value)}
}

var (
	data       = &protocol.Data{}
	endHeaders = &protocol.EndOfHeader{}
	end        = &protocol.EndOfMessage{}
)

// body is a piece of the body of some bytes.
func body(size int) *protocol.Body {
	return &protocol.Body{Chunk: protocol.View(strings.Repeat("x", size))}
}

// told does events, and returns the answers that are more than to go on, and the changes.
func told(s *handlertest.Session, events ...handlers.Event) string {
	var list []string
	for _, ev := range events {
		out := s.Do(ev)
		words := strings.TrimSpace(out.Status.String() + " " + strings.ReplaceAll(out.Text, "\r\n", "|"))
		if out.Status != protocol.StatusContinue {
			list = append(list, out.Event.String()+" "+words)
		}
		if text := changes(out); text != "" {
			list = append(list, text)
		}
	}
	return strings.Join(list, "; ")
}

// first does events until one is told of, and returns what is.
func first(s *handlertest.Session, events ...handlers.Event) string {
	for _, ev := range events {
		if text := told(s, ev); text != "" {
			return text
		}
	}
	return ""
}

// changes tells the changes to a message.
func changes(out handlertest.Outcome) string {
	var list []string
	for _, c := range out.Changes {
		text := c.Code.String() + " " + c.Name.String()
		if len(c.Value) > 0 {
			text += fmt.Sprintf(" %d %s", c.Index, c.Value)
		}
		list = append(list, text)
	}
	return strings.Join(list, "; ")
}

// logged returns the filter of some rules, and what it logs.
func logged(t *testing.T, rules ...rule.Rule) (handlers.Handler, *bytes.Buffer) {
	t.Helper()
	var b bytes.Buffer
	h, err := rule.New(&rule.Settings{Rules: rules}, names, slog.New(slog.NewTextHandler(&b, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return h, &b
}
