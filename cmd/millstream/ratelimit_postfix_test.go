package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"millstream/bench/e2e"
)

// limitFile has limits of all that can be counted, each of others.
const limitFile = `
[networks]
partners = ["127.8.0.0/16"]
[[handler]]
type = "ratelimit"
trusted_networks = ["partners"]

[[handler.limit]]
name = "network"
key = ["client_network"]
what = "recipients"
limit = 4
window = "24h"

[[handler.limit]]
name = "domain"
key = ["sender_domain"]
what = "messages"
limit = 2
window = "24h"
action = "reject"
enhanced = "5.7.3"
text = "{{limit}} messages in {{window}} from {{sender_domain}}"

[[handler.limit]]
name = "mailbox"
key = ["rcpt"]
what = "messages"
limit = 2
window = "24h"
code = 452
enhanced = "4.2.2"
text = "{{rcpt}} gets {{limit}} in {{window}}"

[[handler.limit]]
name = "volume"
key = ["sender", "client_addr"]
what = "bytes"
limit = 1000
window = "24h"
action = "reject"
code = 552
enhanced = "5.3.4"
text = "{{limit}} bytes in {{window}} are enough"
`

// A limitedLetter is a letter and what begins the replies to it, with spaces as "_".
type limitedLetter struct {
	client, from string
	to           string
	lines        int // of the body, of ten bytes
	want         string
}

// limitedLetters come one after the other.
var limitedLetters = []limitedLetter{
	{"127.1.0.1", "a@one.test", "b@to.test c@to.test d@to.test", 1, "250 250 250 250"},
	{"127.1.0.2", "a@two.test", "b@to.test c@to.test", 1, "250 450_4.7.1_limit_of_4_recipients_in_24h 250"},
	{"127.1.1.2", "a@three.test", "e@to.test", 1, "250 250"},

	{"127.2.0.1", "a@many.test", "f@to.test", 1, "250 250"},
	{"127.2.1.1", "b@MANY.test", "f@to.test", 1, "250 250"},
	{"127.2.2.1", "c@many.test", "g@to.test", 1, "550_5.7.3_2_messages_in_24h_from_many.test"},

	{"127.3.0.1", "a@four.test", "full@to.test", 1, "250 250"},
	{"127.3.0.1", "a@five.test", "full@to.test", 1, "250 250"},
	{"127.3.0.1", "a@six.test", "full@to.test h@to.test", 1, "452_4.2.2_full@to.test_gets_2_in_24h 250 250"},

	{"127.4.0.1", "a@large.test", "i@to.test", 60, "250 250"},
	{"127.4.0.1", "a@large.test", "j@to.test", 60, "250 552_5.3.4_1000_bytes_in_24h_are_enough"},
	{"127.4.0.2", "a@larger.test", "k@to.test", 60, "250 250"},

	{"127.8.0.1", "a@many.test", "full@to.test i@to.test", 500, "250 250 250"},
}

// TestPostfixRateLimit sends letters through a real Postfix to a file with limits: their
// clients are told what is over, and what is not is delivered.
func TestPostfixRateLimit(t *testing.T) {
	noVariables(t)
	f := serveFlags{file: configFile(t, limitFile), admin: "127.0.0.1:0", adminGiven: true}
	postfix, s := behindPostfix(t, f, nil)
	delivered := 0
	for i, l := range limitedLetters {
		got, taken := postfix.Send(e2e.Letter{
			Client: l.client, From: l.from, To: strings.Fields(l.to), Name: fmt.Sprint("limited", i),
			Body: strings.Repeat("Hello...\r\n", l.lines),
		})
		if taken {
			delivered++
		}
		want := strings.Fields(l.want)
		for j := range want {
			want[j] = strings.ReplaceAll(want[j], "_", " ")
		}
		for j := range got {
			if len(got) != len(want) || !strings.HasPrefix(got[j], want[j]) {
				t.Errorf("letter %d: %q, want %q", i, got, want)
				break
			}
		}
	}
	postfix.WaitAll(t, "limited", delivered)
	_, measured := fetch(t, http.MethodGet, "http://"+adminAddress(t, s)+"/metrics")
	log := s.stop(t)
	for limit, key := range map[string]string{
		"network": "127.1.0.0/24", "domain": "many.test", "mailbox": "full@to.test", "volume": `"a@large.test 127.4.0.1"`,
	} {
		if line := fmt.Sprintf("msg=\"rate limit reached\" limit=%s key=%s ", limit, key); strings.Count(log, line) != 1 {
			t.Errorf("no %s in\n%s", line, log)
		}
		if of := fmt.Sprintf(`ratelimit_decisions_total{limit="%s",milter_handler="ratelimit",result="over"} 1`, limit); !strings.Contains(measured, of) {
			t.Errorf("no %s in the measurements", of)
		}
	}
}
