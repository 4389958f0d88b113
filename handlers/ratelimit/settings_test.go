package ratelimit_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/ratelimit"
	"millstream/handlers/when"
	"millstream/protocol"
)

// What is wrong with settings is told by its key, and how to mend it.
func TestCheck(t *testing.T) {
	sender := []string{"sender"}
	tests := []struct {
		name   string
		limits []ratelimit.Limit
		want   []string
	}{
		{"right", []ratelimit.Limit{{Key: sender}}, nil},
		{"no limit", nil, []string{"limit: there is no limit: write [[handler.limit]]"}},
		{"name", []ratelimit.Limit{{Name: "a b", Key: sender}}, []string{`limit[0].name: "a b" is no name: write`}},
		{"same name", []ratelimit.Limit{{Name: "a", Key: sender}, {Name: "a", Key: sender}}, []string{`limit[1].name: limit[0] is called "a" too`}},
		{"no key", []ratelimit.Limit{{}}, []string{"limit[0].key: nobody is counted"}},
		{"key", []ratelimit.Limit{{Key: []string{"sender", "helo"}}}, []string{`limit[0].key[1]: "helo" is not known: write auth_user, client_addr, client_network, rcpt, rcpt_domain, sender, sender_domain, or a text with expressions such as "{{helo}}"`}},
		{"what", []ratelimit.Limit{{Key: sender, What: "mails"}}, []string{`limit[0].what: "mails" means nothing here: write one of messages, recipients, bytes`}},
		{"limit", []ratelimit.Limit{{Key: sender, Limit: -1}}, []string{"limit[0].limit: -1 is no limit: write 1 or more"}},
		{"window", []ratelimit.Limit{{Key: sender, Window: time.Millisecond}}, []string{"limit[0].window: 1ms is no window: write a time from 1s to a year"}},
		{"long window", []ratelimit.Limit{{Key: sender, Window: 10000 * time.Hour}}, []string{"limit[0].window: 10000h0m0s is no window"}},
		{"words", []ratelimit.Limit{{Key: sender, Window: time.Hour, WindowType: "x", Count: "y", Action: "accept"}}, []string{
			`limit[0].window_type: "x" means nothing here`, `limit[0].count: "y" means nothing here: write one of tried, accepted`, `limit[0].action: "accept" means nothing here`,
		}},
		{"no network", []ratelimit.Limit{{Key: sender, IPv6Prefix: 48}}, []string{"limit[0].ipv6_prefix: there is no client_network in key"}},
		{"network", []ratelimit.Limit{{Key: []string{"client_network"}, IPv4Prefix: 33}}, []string{"limit[0].ipv4_prefix: 33 is no length of a network: write 1 to 32"}},
		{"class", []ratelimit.Limit{{Key: sender, Code: 550}}, []string{"limit[0].code: "}},
		{"class of the enhanced code", []ratelimit.Limit{{Key: sender, Action: "reject", Enhanced: "4.7.1"}}, []string{"limit[0].code: "}},
		{"not sent", []ratelimit.Limit{{Key: sender, Code: 450, Action: "discard"}, {Key: sender, Enhanced: "4.7.1", Action: "quarantine"}, {Key: sender, Text: "x", Action: "continue"}}, []string{
			"limit[0].code: no code is sent with discard", "limit[1].enhanced: no code is sent with quarantine", "limit[2].text: nothing is said with continue",
		}},
		{"lines", []ratelimit.Limit{{Key: sender, Text: "a\nb"}}, []string{"limit[0].text: there is a line break"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			settings := limits(tt.limits...)
			handlertest.Wrong(t, settings.Check, tt.want...)
			if _, err := ratelimit.New(settings, nil, open(t), nil, nil); (err == nil) != (len(tt.want) == 0) {
				t.Errorf("New: %v", err)
			}
		})
	}
}

// What Check leaves to who knows the names, New refuses with its key.
func TestNewRefuses(t *testing.T) {
	for want, limit := range map[string]ratelimit.Limit{
		"limit[0].key[0]: ": {Key: []string{"{{sendr}}"}},
		"limit[0].when: ":   {Key: []string{"sender"}, When: "authenticted"},
		"1:14":              {Key: []string{"sender"}, Text: "{{ limit }}{{util}}"},
		"limit[0].key: it is about single recipients":          {Key: []string{"rcpt"}, What: "bytes"},
		"limit[0].key: it is about single":                     {Key: []string{"{{rcpt}}"}, When: `header("X") == "y"`},
		"limit[0].action: the key is about single recipients":  {Key: []string{"rcpt_domain"}, Action: "discard"},
		"limit[0].text: there is something in it that is know": {Key: []string{"sender"}, Text: `{{header("Subject")}}`},
	} {
		if _, err := ratelimit.New(limits(limit), names, open(t), nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	settings := limits(ratelimit.Limit{Key: []string{"sender"}})
	if _, err := ratelimit.New(settings, names, nil, nil, nil); err == nil || !strings.Contains(err.Error(), "store of ratelimit") {
		t.Errorf("without a store: %v", err)
	}
	settings.TrustedNetworks = []string{"ours", "theirs"}
	if _, err := ratelimit.New(settings, names, open(t), nil, nil); err == nil || !strings.Contains(err.Error(), "trusted_networks[1]: ") {
		t.Errorf("unknown network: %v", err)
	}
}

// All mistakes are told, each with its key, and with the place in an expression.
func TestMistakes(t *testing.T) {
	settings := limits(
		ratelimit.Limit{Key: []string{"{{sendr}}", "sender", "{{hlo}}"}, When: "tsl", Text: "{{util}}", Code: 550},
		ratelimit.Limit{Key: []string{"rcpt"}, Action: "discard"},
	)
	settings.TrustedNetworks = []string{"theirs", "ours", "our"}
	var got []string
	list := settings.Mistakes(names)
	list.Tell(func(key, text string) { got = append(got, key+": "+text) })
	want := []string{
		"limit[0].code: ", "limit[0].key[0]: 1:3: ", "limit[0].key[2]: 1:3: ", "limit[0].text: 1:3: ", "limit[0].when: 1:1: ",
		"limit[1].action: the key is about single", `trusted_networks[0]: "theirs" is no network`,
		`trusted_networks[2]: "our" is no network such as 192.0.2.0/24, and none is called so: did you mean ours?`,
	}
	if !slices.EqualFunc(got, want, strings.HasPrefix) {
		t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, ok := errors.AsType[*when.Error](list[2]); !ok {
		t.Errorf("%#v has no place", list[2])
	}
	_, err := ratelimit.New(settings, names, open(t), nil, nil)
	if err == nil || err.Error() != list.Err().Error() {
		t.Errorf("New: %v", err)
	}
}

// Needs has what all expressions and texts use, and the error of New.
func TestNeeds(t *testing.T) {
	known := &when.Names{Results: map[string]handlers.Kind{"scan": handlers.KindConnect}}
	s := limits(
		ratelimit.Limit{Key: []string{"auth_user"}, Text: `{{limit}} {{macro("j")}}`},
		ratelimit.Limit{Key: []string{`{{macro("daemon_port")}}`}, When: `result("scan").failed`},
	)
	s.SkipAuthenticated = true
	n, err := s.Needs(known)
	if err != nil {
		t.Fatal(err)
	}
	want := protocol.MacroLists{protocol.StageConnect: {"j", "daemon_port"}, protocol.StageMail: {"auth_authen"}}
	if !reflect.DeepEqual(n.Macros, want) || !slices.Equal(n.Results, []string{"scan"}) {
		t.Errorf("macros %v, results %v", n.Macros, n.Results)
	}
	if _, err := s.Needs(nil); err == nil || !strings.HasPrefix(err.Error(), "limit[1].when: ") {
		t.Errorf("without names: %v", err)
	}
}
