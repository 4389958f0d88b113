package actors

import (
	"errors"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"millstream/protocol"
)

// TestAddressPatterns has patterns and addresses as MTAs send them.
func TestAddressPatterns(t *testing.T) {
	tests := []struct {
		pattern, addr string
		want          bool
	}{
		{"a@example.com", "<a@example.com>", true},
		{"<A@Example.COM>", "a@eXample.com", true},
		{"a@example.com", "<aa@example.com>", false},
		{"a@example.com", "<>", false},
		{"@example.com", "<a@example.com>", true},
		{"@example.com", "<a@b@example.com>", true},
		{"@example.com", "<a@sub.example.com>", false},
		{"@*.example.com", "<a@sub.example.com>", true},
		{"@*.example.com", "<a@example.com>", false},
		{"a*@example.?om", "<alice@example.com>", true},
		{"a*b*c", "<aXbXbXc>", true},
		{"a*b*c", "<aXbXbX>", false},
		{"<>", "<>", true},
		{"<>", "<a@example.com>", false},
		{"*", "<>", true},
		{"?", "<>", false},
		{"*/*", "</x=1/@gw>", true},
	}
	for _, tt := range tests {
		list, err := addressPatterns("From", []string{tt.pattern})
		if err != nil {
			t.Fatal(err)
		}
		if got := anyPattern(list, protocol.View(tt.addr)); got != tt.want {
			t.Errorf("%s, %s: %v", tt.pattern, tt.addr, got)
		}
	}
}

// FuzzFits compares patterns with regular expressions that mean the same.
func FuzzFits(f *testing.F) {
	f.Add("a*b?c*", "aXXbXcYc")
	f.Add("**", "")
	f.Add("?*", "")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 50 || len(text) > 200 || strings.ContainsFunc(pattern+text, func(r rune) bool { return r > '~' }) {
			return
		}
		re := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern))
		want := regexp.MustCompile(`(?s)\A` + re + `\z`).MatchString(text)
		if got := fits(pattern, text); got != want {
			t.Errorf("%q, %q: %v, want %v", pattern, text, got, want)
		}
	})
}

// TestTapMistakes opens taps that there cannot be.
func TestTapMistakes(t *testing.T) {
	r := newRig(t, Config{}, ends, nil)
	for _, tt := range []struct {
		filter TapFilter
		field  string
	}{
		{TapFilter{Clients: []netip.Prefix{{}}}, "Clients"},
		{TapFilter{From: []string{""}}, "From"},
		{TapFilter{Recipients: []string{"a", ""}}, "Recipients"},
		{TapFilter{QueueIDs: []string{""}}, "QueueIDs"},
		{TapFilter{Keep: -1}, "Keep"},
		{TapFilter{Room: -1}, "Room"},
	} {
		_, err := r.sys.Tap(tt.filter)
		if !errors.Is(err, protocol.ErrInvalidArgument) || !strings.Contains(err.Error(), "TapFilter."+tt.field) {
			t.Errorf("%+v: %v", tt.filter, err)
		}
	}
	var open []*Tap
	for range maxTaps {
		open = append(open, openTap(t, r.sys, TapFilter{}))
	}
	if _, err := r.sys.Tap(TapFilter{}); !errors.Is(err, protocol.ErrTooMany) {
		t.Errorf("one too many: %v", err)
	}
	open[3].Close()
	open[3].Close()
	openTap(t, r.sys, TapFilter{}).Close()
	for _, tap := range open {
		tap.Close()
	}
	if r.sys.taps.Load() != nil {
		t.Error("closed taps are left")
	}
}
