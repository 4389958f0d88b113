package dnsbl

import (
	"net/netip"
	"strings"
	"testing"
)

// TestCheck has every mistake there is.
func TestCheck(t *testing.T) {
	zone := func(edit func(z *Zone)) func(*Settings) { return func(s *Settings) { edit(&s.Zones[0]) } }
	action := func(edit func(a *Action)) func(*Settings) { return func(s *Settings) { edit(&s.Actions[0]) } }
	tests := []struct {
		edit func(s *Settings)
		want string
	}{
		{func(*Settings) {}, ""},
		{func(s *Settings) { s.Zones = nil }, "zones: there is no list to ask"},
		{func(s *Settings) { s.Zones = make([]Zone, maxZones+1) }, "zones: 51 are more than"},
		{func(s *Settings) { s.Actions = nil }, "actions: nothing would come of"},
		{func(s *Settings) { s.Deadline = 0 }, "deadline: it would wait for no answer"},
		{func(s *Settings) { s.Zones = append(s.Zones, Zone{Zone: "a.test", Name: "ip.test"}) }, `zones[1].zone: zones[0] is called "ip.test" too`},
		{zone(func(z *Zone) { z.Zone = "" }), `zones[0].zone: "" is no domain`},
		{zone(func(z *Zone) { z.Zone = "https://zen" }), `zones[0].zone: "https://zen" is no domain`},
		{zone(func(z *Zone) { z.Name = "a\n" }), "zones[0].name: it has a control character"},
		{zone(func(z *Zone) { z.Lookup = []string{"uri", "url"} }), `zones[0].lookup[1]: "url" is nothing to look up`},
		{zone(func(z *Zone) { z.Registered = true }), "zones[0].registered: addresses are not registered"},
		{zone(func(z *Zone) { z.Text = strings.Repeat("x", 401) }), "zones[0].text: write one line of at most 400"},
		{zone(func(z *Zone) { z.Answers = []Answer{{Match: "127.0.0.2"}, {Match: "127.0.0"}} }), `zones[0].answers[1].match: "127.0.0" matches no answers`},
		{zone(func(z *Zone) { z.Answers = []Answer{{Match: "10.0.0.2"}} }), `zones[0].answers[0].match: "10.0.0.2" matches what no list answers`},
		{zone(func(z *Zone) { z.Answers = []Answer{{Match: "127.0.0.2", Text: "ü"}} }), "zones[0].answers[0].text: write one line"},
		{action(func(a *Action) { a.Do = "drop" }), `actions[0].do: "drop" is nothing to do`},
		{action(func(a *Action) { a.Score = 0 }), "actions[0].score: each message has that"},
		{action(func(a *Action) { a.Do = doHeader }), `actions[0].header: "" is no name`},
		{action(func(a *Action) { a.Header = "X" }), `actions[0].header: do = "reject" adds none`},
		{action(func(a *Action) { a.Text = "{{zone}}" }), "actions[0].text: there is no fact {{zone}}: known are client_addr"},
		{action(func(a *Action) { a.Text = "{{zones" }), "actions[0].text: `{{` is not closed"},
		{action(func(a *Action) { a.Text = "a\r\nb" }), "actions[0].text: write one line"},
	}
	for _, tt := range tests {
		s := settings([]Zone{{Zone: "ip.test"}}, Action{Score: 1, Do: doReject})
		tt.edit(s)
		first := ""
		s.Check(func(key, text string) {
			if first == "" {
				first = key + ": " + text
			}
		})
		if !strings.HasPrefix(first, tt.want) || (first == "") != (tt.want == "") {
			t.Errorf("%q, want %q", first, tt.want)
		}
	}
}

// TestPatterns matches answers.
func TestPatterns(t *testing.T) {
	tests := []struct{ pattern, fits, fitsNot string }{
		{"127.0.0.2", "127.0.0.2", "127.0.0.3 127.0.1.2"},
		{"127.0.0.2-4", "127.0.0.2 127.0.0.4", "127.0.0.1 127.0.0.5"},
		{"127.0.*.3", "127.0.0.3 127.0.255.3", "127.0.0.4 127.1.0.3"},
		{"127.0.0.&6", "127.0.0.2 127.0.0.4 127.0.0.7", "127.0.0.1 127.0.0.8"},
		{"127.*.*.*", "127.255.255.255", ""},
	}
	for _, tt := range tests {
		p, err := parsePattern(tt.pattern)
		if err != nil {
			t.Error(err)
		}
		for i, list := range []string{tt.fits, tt.fitsNot} {
			for text := range strings.FieldsSeq(list) {
				if p.fits(netip.MustParseAddr(text).As4()) != (i == 0) {
					t.Errorf("%s and %s: %v", tt.pattern, text, i != 0)
				}
			}
		}
	}
	for _, s := range []string{
		"", "127", "127.0.0", "127.0.0.0.0", "127.0.0.", "127.0.0.256", "127.0.0.-1", "127.0.0.5-2", "127.0.0.2-",
		"127.0.0.&", "127.0.0.&0", "127.0.0.02", "127.0.0.+2", "127.0.0.2/31", "*.0.0.2", "126-128.0.0.2", "&127.0.0.2",
	} {
		if p, err := parsePattern(s); err == nil {
			t.Errorf("%q is %v", s, p)
		}
	}
}

// TestDomains has names of hosts, and what is none.
func TestDomains(t *testing.T) {
	for name, want := range map[string]string{
		"a.example": "a.example", "A.Example.": "a.example", "_x.a-b.example": "_x.a-b.example",
		"bücher.example": "xn--bcher-kva.example", "": "", "localhost": "", "192.0.2.1": "", "[192.0.2.1]": "",
		"a..b": "", ".a.b": "", "a.b..": "", "a b.example": "", "a\x00.example": "", "x.123": "", "ü": "", "a.\xff": "",
		strings.Repeat("a", 64) + ".example": "", strings.Repeat("a.", 126) + "ab": "",
	} {
		if got := domain(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}

// TestHarmless has texts of lists that would do harm in a reply.
func TestHarmless(t *testing.T) {
	v := &verdict{sender: "a\r\n250 ok\x00\xff", score: -3, found: []*finding{{list: &list{name: "l"}, score: 1, reasons: []string{strings.Repeat("x", 1000)}}}}
	for text, want := range map[string]string{
		"{{sender}}": "a  250 ok ?", "{{ score }}%": "-3%", "{{zones}}{{listed}}": "l",
		"{{reason}}": strings.Repeat("x", maxFact), strings.Repeat("{{reason}}", 30): strings.Repeat("x", 2*maxText),
	} {
		c, err := compile(text)
		if got := c.of(v); got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", text, got, err, want)
		}
	}
}
