package dnsbl

import (
	"fmt"
	"strings"
)

// Limits of what can be asked at once.
const (
	maxZones = 50
	maxText  = 400 // bytes, without what is replaced
)

// Check tells wrong of what cannot be: the key, such as "zones[1].answers[0].match", and
// what is wrong with it. What single values may be, the tags of their fields say.
func (s *Settings) Check(wrong func(key, text string)) {
	if len(s.Zones) == 0 {
		wrong("zones", "there is no list to ask: write zones = [{ zone = \"zen.spamhaus.org\" }]")
	}
	if len(s.Zones) > maxZones {
		wrong("zones", fmt.Sprintf("%d are more than can be asked at once: write at most %d", len(s.Zones), maxZones))
	}
	if len(s.Actions) == 0 {
		wrong("actions", "nothing would come of what is found: write actions = [{ score = 1, do = \"header\", header = \"X-DNSBL\" }]")
	}
	if s.Deadline <= 0 {
		wrong("deadline", "it would wait for no answer: write a time such as 5s")
	}
	names := make(map[string]int)
	for i := range s.Zones {
		s.Zones[i].check(func(key, text string) { wrong(fmt.Sprintf("zones[%d].%s", i, key), text) })
		name := s.Zones[i].name()
		if first, again := names[name]; again {
			wrong(fmt.Sprintf("zones[%d].zone", i), fmt.Sprintf("zones[%d] is called %q too: join them, or write another name", first, name))
			continue
		}
		names[name] = i
	}
	for i := range s.Actions {
		s.Actions[i].check(func(key, text string) { wrong(fmt.Sprintf("actions[%d].%s", i, key), text) })
	}
}

func (z *Zone) check(wrong func(key, text string)) {
	if zone := domain(z.Zone); zone == "" || len(zone) > maxDomain/2 {
		wrong("zone", fmt.Sprintf("%q is no domain of a list: write one such as zen.spamhaus.org", z.Zone))
	}
	if !isPlain(z.Name) {
		wrong("name", "it has a control character or one that is not ASCII in it")
	}
	for i, word := range z.Lookup {
		if _, known := kinds[word]; !known {
			wrong(fmt.Sprintf("lookup[%d]", i), fmt.Sprintf("%q is nothing to look up: write client, helo, sender or uri", word))
		}
	}
	if z.Registered && z.looksUp(client) && len(z.Lookup) <= 1 {
		wrong("registered", "addresses are not registered: write lookup = [\"uri\"], or leave it out")
	}
	z.checkText(wrong, "text", z.Text)
	for i, a := range z.Answers {
		if _, err := parsePattern(a.Match); err != nil {
			wrong(fmt.Sprintf("answers[%d].match", i), err.Error())
		}
		z.checkText(wrong, fmt.Sprintf("answers[%d].text", i), a.Text)
	}
}

func (*Zone) checkText(wrong func(key, text string), key, text string) {
	if !isPlain(text) || len(text) > maxText {
		wrong(key, fmt.Sprintf("write one line of at most %d bytes of ASCII", maxText))
	}
}

func (a *Action) check(wrong func(key, text string)) {
	switch a.Do {
	case doReject, doTempFail, doQuarantine, doHeader:
	default:
		wrong("do", fmt.Sprintf("%q is nothing to do: write reject, tempfail, quarantine or header", a.Do))
	}
	switch {
	case a.Score < 1:
		wrong("score", "each message has that: write at least 1")
	case a.Do == doHeader && !isFieldName(a.Header):
		wrong("header", fmt.Sprintf("%q is no name of a header field: write one such as X-DNSBL", a.Header))
	case a.Do != doHeader && a.Header != "":
		wrong("header", fmt.Sprintf("do = %q adds none: leave it out, or write do = %q", a.Do, doHeader))
	}
	if _, err := compile(a.Text); err != nil {
		wrong("text", err.Error())
	}
}

// isFieldName reports whether a header field can be called so.
func isFieldName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' })
}

// isPlain reports whether s is one line of ASCII that can be printed.
func isPlain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
