package when_test

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/when"
	"millstream/protocol"
)

// names are those of a small configuration.
var names = &when.Names{
	Networks: map[string]when.Network{
		"trusted": when.Prefixes(netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")),
		"mapped":  when.Prefixes(netip.MustParsePrefix("::ffff:198.51.100.0/120")),
	},
	Lists:   map[string]when.List{"vip": when.Words("Boss@example.com", "example.net")},
	Results: map[string]handlers.Kind{"spamcheck": handlers.KindEndOfMessage, "dnsbl": handlers.KindConnect},
}

func compile(t testing.TB, source string) *when.Program {
	t.Helper()
	p, err := when.Compile(source, names)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return p
}

// A mistake is an expression, and what is said of it.
type mistake struct{ source, want string }

func TestErrors(t *testing.T) {
	checkMistakes(t, []mistake{
		{``, `1:1: the expression ends too soon: write what is missing, or take out what stands last`},
		{`sendr == "a"`, `1:1: unknown name "sendr": did you mean sender?`},
		{"helo == \"x\"\n  && client_adr == \"\"", `2:6: unknown name "client_adr": did you mean client_addr?`},
		{`"ä" != helo && xyzzyplugh`, `1:16: unknown name "xyzzyplugh"`},
		{`sender`, `1:1: the expression is a text, and must be true or false`},
		{`rcpt_count`, `1:1: the expression is a number, and must be true or false`},
		{`rcpts`, `1:1: the expression is a list, and must be true or false`},
		{`rcpt_count == "3"`, `1:12: == is not for a number and a text: write numbers without quotes, or make a text of one with string(...)`},
		{`sender > 3`, `1:8: > is not for a text and a number: write numbers without quotes, or make a text of one with string(...)`},
		{`tls &&`, `1:6: the expression ends too soon: write what is missing, or take out what stands last`},
		{`sender = "a@example.com"`, `1:8: "=" is not expected here: write == to compare`},
		{`tls AND authenticated`, `1:5: "AND" is not expected here: write and`},
		{`sender ends with "x"`, `1:8: "ends" is not expected here: write texts in quotes, and put &&, || or a comparison between two names`},
		{`client_addr == 192.0.2.1`, `1:21: ".2.1" is not expected here: write addresses and other texts in quotes`},
		{`(tls`, `1:4: the expression ends too soon: write what is missing, or take out what stands last`},
		{`tls)`, `1:4: ")" is not expected here`},
		{`size > 10MB`, `1:10: "10M" is no number: write bytes and seconds without a unit, such as 10 * 1024 * 1024, and texts in quotes`},
		{`header.Subject == ""`, `1:8: only a result has fields: write header("Subject")`},
		{`tls && sender`, `1:5: && is not for a flag and a text: compare what is no flag with something, as in sender != ""`},
		{`!rcpts`, `1:1: ! is not for a list: compare what is no flag with something, as in sender != ""`},
		{`rcpts == sender`, `1:7: == is not for a list and a text`},
		{`size / 0 > 1`, `1:6: division by zero`},
		{`size % (3 - 3) > 1`, `1:6: division by zero`},
		{`header(helo) == ""`, `1:1: header wants words in quotes, so that what it needs is known beforehand: write header("Subject")`},
		{`header("a", "b") == ""`, `1:1: header wants words in quotes, so that what it needs is known beforehand: write header("Subject")`},
		{`heder("Subject") == ""`, `1:1: unknown function "heder": did you mean header?`},
		{`sender() == ""`, `1:1: unknown function "sender": sender is no function: leave out what is in brackets`},
		{`header == ""`, `1:1: "header" is a function: write header(...)`},
		{`macro("auth_typ") == ""`, `1:7: at which stage is macro "auth_typ" sent? Say so, as in macro("auth_typ", "helo"); or did you mean auth_type?`},
		{`macro("x", "helu") == ""`, `1:7: no stage of macros is called "helu": did you mean helo?`},
		{`macro("{a} {b}") == ""`, `1:7: "{a} {b}" is no name of a macro`},
		{`in_network("trustd")`, `1:12: "trustd" is no network such as 192.0.2.0/24, and none is called so: did you mean trusted?`},
		{`in_network("office")`, `1:12: "office" is no network such as 192.0.2.0/24, and none is called so: there are mapped, trusted`},
		{`in_list("wip", sender)`, `1:9: no list is called "wip": did you mean vip?`},
		{`in_list(sender, "vip")`, `1:9: in_list wants the name of a list in quotes: write in_list("name", sender)`},
		{`in_list("vip")`, `1:1: in_list wants the name of a list, and a text: write in_list("name", sender)`},
		{`in_list("vip", rcpt_count)`, `1:16: cannot use int as argument (type string) to call in_list vip`},
		{`result("spamchek").failed`, `1:1: no earlier handler is called "spamchek": did you mean spamcheck?`},
		{`result("spamcheck")`, `1:1: a result is not true or false by itself: write result("name").verdict, or .failed`},
		{`result("spamcheck").score > 3`, `1:1: a result has verdict and failed: result("spamcheck").verdict`},
		{`stage == "end-of-massage"`, `1:10: stage is never "end-of-massage": did you mean end-of-message?`},
		{`weekday in ["monday", "fryday"]`, `1:23: weekday is never "fryday": did you mean friday?`},
		{`client_family == "ipv4"`, `1:18: client_family is never "ipv4": it is one of inet, inet6, unix, unknown`},
		{`helo matches sender`, `1:14: the pattern of matches must stand in quotes`},
		{`helo matches "("`, "1:6: error parsing regexp: missing closing ): `(`"},
		{`any(rcpts, any(rcpts, # == helo))`, `1:12: a loop within a loop could take too long: use in_list, or two expressions`},
		{`any(rcpts, # in rcpts)`, `1:17: within a loop rcpts could take too long: use in_list, or two expressions`},
		{`any(rcpts, header("To") contains #)`, `1:12: within a loop header("To") could take too long: use in_list, or two expressions`},
		{`let r = rcpts; any(r, # in r)`, `1:28: within a loop "r" could take too long: write what it stands for`},
		{`hour in 1..100000`, `1:10: the ends of a range must be numbers, 1000 at most in between: write hour in 8..17, or compare with < and >`},
		{`hour in 1..rcpt_count`, `1:10: the ends of a range must be numbers, 1000 at most in between: write hour in 8..17, or compare with < and >`},
		{`(helo ?? "x") == "x"`, `1:7: ?? is not part of the language of expressions: nothing is missing here: a text that is not known is empty`},
		{`today() == 1`, `1:1: unknown function "today"`},
		{`len($env) == 1`, `1:5: unknown name "$env"`},
		{`helo == nil`, `1:9: this is not part of the language of expressions`},
		{`sender.foo == ""`, `1:8: only a result has fields`},
		{`let sender = 1; sender == 1`, `1:5: "sender" has a meaning already: use another name`},
		{`rcpt == "a" && size > 3`, `1:13: rcpt is of the recipient under way, and there is none when size is known, at end-of-message: ` +
			`ask for all of them, as in any(rcpts, # == "a@example.com")`},
		{strings.Repeat("(", 20000), `1:1: 20000 bytes are too many: there may be 16384: use a list, see in_list`},
	})
}

// What cannot be true is a mistake too, wherever in the expression that shows.
func TestNeverTrue(t *testing.T) {
	checkMistakes(t, []mistake{
		{`false`, `1:1: the expression is never true: take it out, or mend what it compares`},
		{`1 > 2`, `1:3: the expression is never true: take it out, or mend what it compares`},
		{`sender == "a" && !("x" in ["x"])`, `1:15: the expression is never true: take it out, or mend what it compares`},
		{`!(tls || true)`, `1:1: the expression is never true: take it out, or mend what it compares`},
		{`authenticated ? false : 2 < 1`, `1:29: the expression is never true: take it out, or mend what it compares`},
		{`rcpt_count > 5 && rcpt_count < 3`, `1:30: the expression is never true: rcpt_count cannot be so: mend this, or what contradicts it`},
		{`rcpt_count > 5 && tls && !(rcpt_count >= 7) && 6 != rcpt_count`, `1:50: the expression is never true: rcpt_count cannot be so: mend this, or what contradicts it`},
		{`authenticated && tls && !authenticated`, `1:26: the expression is never true: authenticated cannot be so: mend this, or what contradicts it`},
		{`authenticated == false && authenticated`, `1:27: the expression is never true: authenticated cannot be so: mend this, or what contradicts it`},
		{`helo == "a" && "b" == helo`, `1:20: the expression is never true: helo cannot be so: mend this, or what contradicts it`},
		{`helo in ["a", "b"] && helo not in ["b", "a", "c"]`, `1:32: the expression is never true: helo cannot be so: mend this, or what contradicts it`},
		{`helo in ["a", "b"] && helo in ["c"]`, `1:28: the expression is never true: helo cannot be so: mend this, or what contradicts it`},
		{`hour in 8..17 && hour >= 18`, `1:23: the expression is never true: hour cannot be so: mend this, or what contradicts it`},
		{`hour > 23`, `1:6: the expression is never true: hour cannot be so: mend this, or what contradicts it`},
		{`size < 0`, `1:6: the expression is never true: size cannot be so: mend this, or what contradicts it`},
		{`client_port == 65536`, `1:13: the expression is never true: client_port cannot be so: mend this, or what contradicts it`},
		{`in_network("trusted") && !in_network("trusted")`, `1:27: the expression is never true: in_network("trusted") cannot be so: mend this, or what contradicts it`},
		{`(tls || sender == "a") && !tls && sender == "b"`, `1:2: the expression is never true: tls cannot be so: mend this, or what contradicts it`},
		{`!(tls || !(tls || hour > 24))`, `1:12: the expression is never true: tls cannot be so: mend this, or what contradicts it`},
		{`tls || sender_domain == "Example.com"`, `1:25: sender_domain has small letters only, and never "Example.com": write "example.com"`},
		{`rcpt_domain endsWith ".Example"`, `1:22: rcpt_domain has small letters only, and never ".Example": write ".example"`},
		{`lower(helo) in ["a", "Bad"]`, `1:22: what lower returns has small letters only, and never "Bad": write "bad"`},
	})
}

// checkMistakes compiles expressions that are wrong.
func checkMistakes(t *testing.T, tests []mistake) {
	t.Helper()
	for _, tt := range tests {
		_, err := when.Compile(tt.source, names)
		if _, ok := errors.AsType[*when.Error](err); !ok {
			t.Errorf("%.80s: %v is no *Error", tt.source, err)
			continue
		}
		if got := strings.TrimPrefix(err.Error(), "milter: expression, "); got != tt.want {
			t.Errorf("%.80s:\n got %s\nwant %s", tt.source, got, tt.want)
		}
	}
}

func TestCompileWithoutNames(t *testing.T) {
	if _, err := when.Compile(`in_network("198.51.100.7") || in_network("10.0.0.0/8")`, nil); err != nil {
		t.Error(err)
	}
	if _, err := when.Compile(`in_network("trusted")`, nil); err == nil || !strings.Contains(err.Error(), "none is configured") {
		t.Error(err)
	}
}

// An error lists a few of many names.
func TestManyNames(t *testing.T) {
	many := &when.Names{Lists: map[string]when.List{}}
	for c := 'a'; c <= 'z'; c++ {
		many.Lists["list-"+strings.Repeat(string(c), 9)] = nil
	}
	_, err := when.Compile(`in_list("x", helo)`, many)
	if text := err.Error(); !strings.HasSuffix(text, "list-ggggggggg, list-hhhhhhhhh and others") {
		t.Error(text)
	}
}

func TestNeeds(t *testing.T) {
	const mayChange = handlers.KindFinished
	events := handlers.Of
	tests := []struct {
		source  string
		stage   handlers.Kind
		final   handlers.Kind // 0: that of stage
		each    bool
		events  handlers.Kinds
		macros  map[protocol.Stage][]string
		results []string
	}{
		{source: `true`, stage: handlers.KindConnect},
		{source: `in_network("trusted")`, stage: handlers.KindConnect, events: events(handlers.KindConnect)},
		{source: `hour in 8..17`, stage: handlers.KindConnect, final: handlers.KindEnvelopeFrom},
		{source: `helo == client_name`, stage: handlers.KindHelo, events: events(handlers.KindConnect, handlers.KindHelo)},
		{source: `sender_domain == "a"`, stage: handlers.KindEnvelopeFrom},
		{source: `!authenticated && macro("{auth_type}") == ""`, stage: handlers.KindEnvelopeFrom, macros: map[protocol.Stage][]string{
			protocol.StageMail: {"auth_authen", "auth_type"},
		}},
		{source: `tls`, stage: handlers.KindHelo, macros: map[protocol.Stage][]string{protocol.StageHelo: {"tls_version"}}},
		{source: `macro("i", "envelope-from") != ""`, stage: handlers.KindEnvelopeFrom, macros: map[protocol.Stage][]string{protocol.StageMail: {"i"}}},
		{source: `macro("rcpt_addr") == "x"`, stage: handlers.KindEnvelopeRecipient, each: true, events: events(handlers.KindEnvelopeRecipient), macros: map[protocol.Stage][]string{
			protocol.StageRcpt: {"rcpt_addr"},
		}},
		{source: `rcpt_count > 3 || queue_id == ""`, stage: handlers.KindData, events: events(handlers.KindEnvelopeRecipient), macros: map[protocol.Stage][]string{
			protocol.StageData: {"i"},
		}},
		{source: `header("Subject") == ""`, stage: handlers.KindEndOfHeader, events: events(handlers.KindHeader)},
		{source: `size_so_far > 3`, stage: handlers.KindBody, final: handlers.KindEndOfMessage, events: events(handlers.KindBody)},
		{source: `size > 3`, stage: handlers.KindEndOfMessage, events: events(handlers.KindBody)},
		{source: `result("spamcheck").failed || result("dnsbl").verdict == "x"`, stage: handlers.KindEndOfMessage, final: mayChange, results: []string{"spamcheck", "dnsbl"}},
	}
	for _, tt := range tests {
		n := compile(t, tt.source).Needs()
		var macros protocol.MacroLists
		for stage, list := range tt.macros {
			macros.Add(stage, list...)
		}
		final := tt.final
		switch final {
		case 0:
			final = tt.stage
		case mayChange:
			final = 0
		}
		want := when.Needs{Stage: tt.stage, Final: final, Each: tt.each, Wants: handlers.Wants{Events: tt.events}, Macros: macros, Results: tt.results}
		if !reflect.DeepEqual(n, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.source, n, want)
		}
	}
}

// What is written to be hard to compile is refused, or compiled soon.
func TestDeep(t *testing.T) {
	for _, source := range []string{
		strings.Repeat("(", 16000), strings.Repeat("!", 16000) + "tls", strings.Repeat("[", 16000), strings.Repeat("tls ? tls : ", 1300) + "tls",
		strings.Repeat("1/(", 600) + "1" + strings.Repeat(")", 600) + " > 2", strings.Repeat("true && ", 990) + "tls",
		strings.Repeat("let a = 1; ", 1400) + "tls", `helo matches "` + strings.Repeat("(", 15000) + `"`, strings.Repeat("x", 16000),
	} {
		if _, err := when.Compile(source, nil); err != nil {
			if _, ok := errors.AsType[*when.Error](err); !ok {
				t.Errorf("%.20s...: %v", source, err)
			}
		}
	}
}

// What can be true is not taken for what never is.
func TestCompilePossible(t *testing.T) {
	for _, source := range []string{
		`rcpt_count > 5 && rcpt_count < 7`,
		`rcpt_count >= 5 && rcpt_count <= 5 && rcpt_count != 6`,
		`rcpt_count > 5 || rcpt_count < 3`,
		`!(rcpt_count > 5 && rcpt_count < 3)`,
		`hour >= 22 || hour < 6`,
		`hour not in 8..17 && hour == 18`,
		`size > 1.5 && size < 2.5`,
		`size > -1`,
		`helo != "a" && helo != "b"`,
		`helo in ["a", "b"] && helo != "a"`,
		`tls && (authenticated || !tls)`,
		`(tls || authenticated) && !tls`,
		`tls == authenticated && !tls`,
		`header("A") == "a" && header("B") == "b"`,
		`sender contains "A" && sender_domain != "example.com"`,
		`any(rcpts, # == "a") && any(rcpts, # == "b")`,
		`(let d = helo; d == "a") || (let d = sender; d == "b")`,
		`declared_size > size && size > declared_size - 1`,
	} {
		if _, err := when.Compile(source, nil); err != nil {
			t.Errorf("%s: %v", source, err)
		}
	}
}
