package greylist_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"millstream/handlers"
	"millstream/handlers/greylist"
	"millstream/handlers/handlertest"
	"millstream/handlers/when"
)

// What is wrong with settings is told by its key, and how to mend it.
func TestCheck(t *testing.T) {
	tests := []struct {
		name string
		edit func(*greylist.Settings)
		want []string
	}{
		{"right", func(*greylist.Settings) {}, nil},
		{"no key", func(s *greylist.Settings) { s.Key = nil }, []string{"key: there is nothing that has to be the same: write some of network, helo"}},
		{"twice", func(s *greylist.Settings) { s.Key = []string{"sender", "network", "sender"} }, []string{`key[2]: "sender" stands there twice`}},
		{"no delay", func(s *greylist.Settings) { s.Delay = 0 }, []string{"delay: nobody would have to wait: write a time such as 5m"}},
		{"window", func(s *greylist.Settings) { s.RetryWindow = s.Delay }, []string{"retry_window: nobody could come again after the delay of 5m0s"}},
		{"no life", func(s *greylist.Settings) { s.Lifetime = 0 }, []string{"lifetime: nobody would be known"}},
		{"code", func(s *greylist.Settings) { s.Code = 550 }, []string{"code: milter: invalid"}},
		{"enhanced", func(s *greylist.Settings) { s.Enhanced = "5.7.1" }, []string{"code: milter: invalid"}},
		{"text", func(s *greylist.Settings) { s.Text = "a\x00" }, []string{"text: milter: "}},
		{"header", func(s *greylist.Settings) { s.Header = "X-Grey:" }, []string{`header: "X-Grey:" is no name of a header`}},
		{
			"several",
			func(s *greylist.Settings) { s.Delay, s.Lifetime = -time.Second, -time.Second },
			[]string{"delay: ", "lifetime: "},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			settings := greylist.Defaults()
			tt.edit(settings)
			handlertest.Wrong(t, settings.Check, tt.want...)
			if _, err := greylist.New(settings, nil, memoryStore(t), nil, nil); (err == nil) != (len(tt.want) == 0) {
				t.Errorf("New: %v", err)
			}
		})
	}
}

// What Check leaves to tags and to names, New refuses.
func TestNewRefuses(t *testing.T) {
	for want, edit := range map[string]func(*greylist.Settings){
		`key[1]: "subject" is none of network, helo`:    func(s *greylist.Settings) { s.Key = []string{"sender", "subject"} },
		"ipv4_bits: an IPv4 network cannot have 0 bits": func(s *greylist.Settings) { s.IPv4Bits = 0 },
		"ipv6_bits: an IPv6 network cannot have 129":    func(s *greylist.Settings) { s.IPv6Bits = 129 },
		`on_local: "reject" is none of pass, delay`:     func(s *greylist.Settings) { s.OnLocal = "reject" },
		"whitelist_after: ":                             func(s *greylist.Settings) { s.WhitelistAfter = -1 },
		`skip_networks[1]: "friends" is no network`:     func(s *greylist.Settings) { s.SkipNetworks = []string{"::1", "friends"} },
	} {
		settings := greylist.Defaults()
		edit(settings)
		if _, err := greylist.New(settings, nil, memoryStore(t), nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// All mistakes are told, each with its key.
func TestMistakes(t *testing.T) {
	names := &when.Names{Networks: map[string]when.Network{"friends": when.Prefixes()}}
	settings := greylist.Defaults()
	settings.Delay, settings.IPv4Bits, settings.IPv6Bits = 0, 33, 0
	settings.SkipNetworks = []string{"frends", "friends", "192.0.2.0/33", "fe80::1%eth0", "192.0.2.1"}
	want := []string{
		"delay: nobody would have to wait", "ipv4_bits: an IPv4 network cannot", "ipv6_bits: an IPv6 network cannot",
		`skip_networks[0]: "frends" is no network such as 192.0.2.0/24, and none is called so: did you mean friends?`,
		`skip_networks[2]: "192.0.2.0/33" is no network`, `skip_networks[3]: "fe80::1%eth0" is no network`,
	}
	var got []string
	settings.Mistakes(names).Tell(func(key, text string) { got = append(got, key+": "+text) })
	if !slices.EqualFunc(got, want, strings.HasPrefix) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	_, err := settings.Needs(names)
	if mistake, ok := errors.AsType[*when.SettingError](err); !ok || mistake.Key != "delay" {
		t.Errorf("needs: %v", err)
	}
	if n, err := greylist.Defaults().Needs(nil); err != nil || !n.Macros.Empty() {
		t.Errorf("needs %+v, %v", n, err)
	}
}

// The MTA is asked for what there is to know and no more, and waits for an answer only
// where there may be one.
func TestWants(t *testing.T) {
	const (
		options = handlers.KindNegotiate
		connect = handlers.KindConnect
		helo    = handlers.KindHelo
		rcpt    = handlers.KindEnvelopeRecipient
		end     = handlers.KindEndOfMessage
	)
	of := handlers.Of
	for name, tt := range map[string]struct {
		edit            func(*greylist.Settings)
		events, replies handlers.Kinds
	}{
		"defaults":     {nil, of(options, connect, rcpt), of(options, rcpt)},
		"least":        {func(s *greylist.Settings) { s.SkipAuthenticated = false }, of(connect, rcpt), of(rcpt)},
		"helo, header": {func(s *greylist.Settings) { s.Key, s.Header = []string{"helo"}, "X" }, of(options, connect, helo, rcpt, end), of(options, rcpt, end)},
	} {
		if w := filter(t, memoryStore(t), tt.edit).Wants(); w.Events != tt.events || w.Replies != tt.replies {
			t.Errorf("%s: events %b, replies %b, want %b, %b", name, w.Events, w.Replies, tt.events, tt.replies)
		}
	}
}
