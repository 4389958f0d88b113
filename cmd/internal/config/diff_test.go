package config

import (
	"slices"
	"testing"
)

// TestDiff changes one thing after the other.
func TestDiff(t *testing.T) {
	const (
		mark = "[[handler]]\ntype = \"header\"\nname = \"mark\"\nadd = [{ name = \"X-A\", value = \"1\" }]\n"
		deny = "[[handler]]\ntype = \"reply\"\nname = \"deny\"\nstage = \"helo\"\nverdict = \"reject\"\n"
	)
	tests := []struct {
		name, old, next string
		want            []string
		restart         bool
	}{
		{"nothing", mark, "# a comment\n" + mark, nil, false},
		{"a default", "", "[limits]\nidle = \"2h0m10s\"\n", nil, false},
		{"a time", "", "[limits]\nidle = \"1m\"\n", []string{`limits.idle: '1m0s', it was '2h0m10s'`}, false},
		{
			"a network", "[networks]\na = [\"192.0.2.0/24\"]\n", "[networks]\nb = [\"192.0.2.0/24\"]\n",
			[]string{`networks.b: added, ['192.0.2.0/24']`, `networks.a: removed, it was ['192.0.2.0/24']`},
			false,
		},
		{
			"a secret", "[store]\ntype = \"redis\"\nurls = [\"redis://a\"]\npassword = \"x\"\n",
			"[store]\ntype = \"redis\"\nurls = [\"redis://a\"]\npassword = \"y\"\n",
			[]string{"store.password: changed"},
			false,
		},
		{"a handler", mark, mark[:len(mark)-6] + "2\" }]\n", []string{"handler.mark: changed"}, false},
		{"its policy", mark, mark + "timeout = \"1s\"\n", []string{"handler.mark: changed"}, false},
		{"one more", mark, mark + deny, []string{"handler.deny: added, type reply", "handler: mark, deny, it was mark"}, false},
		{"their order", mark + deny, deny + mark, []string{"handler: deny, mark, it was mark, deny"}, false},
		{"the admin address", "", "[admin]\naddress = \"\"\n", []string{`admin.address: '', it was '127.0.0.1:8891'`}, true},
		{"the loops", "", "[limits]\nloops = 3\n", []string{"limits.loops: 3, it was 0"}, true},
		{
			"a socket", "", "[[listener]]\nsocket = \"unix:/s\"\n",
			[]string{`listener: [{ socket = 'unix:/s' }], it was [{ socket = 'inet:8890@127.0.0.1' }]`},
			true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			old, next := parseWith(t, tt.old), parseWith(t, tt.next)
			var got []string
			for _, c := range Diff(old, next) {
				got = append(got, c.String())
				if c.Restart != tt.restart {
					t.Errorf("%s: restart %v", c.Key, c.Restart)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			next.Keep(old)
			if left := Diff(old, next); (len(left) == 0) != (tt.restart || tt.want == nil) {
				t.Errorf("after Keep: %v", left)
			}
		})
	}
}

// TestFixed checks that what is taken up at the start is there.
func TestFixed(t *testing.T) {
	var keys []string
	for _, s := range parseWith(t, "").settings() {
		keys = append(keys, s.key)
	}
	for _, key := range fixed {
		if !slices.ContainsFunc(keys, func(k string) bool { return k == key || len(k) > len(key) && k[:len(key)+1] == key+"." }) {
			t.Errorf("there is no %s", key)
		}
	}
}
