package rule_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/rule"
	"millstream/handlers/when"
	"millstream/protocol"
)

// Each mistake is told with the key it stands in.
func TestCheck(t *testing.T) {
	tests := []struct {
		name string
		rule rule.Rule // behind one about a sender
		want []string  // how what is told begins
	}{
		{"none", rule.Rule{When: `in_network("unknown") && result("x").failed`, Action: "reject"}, nil},
		{"expression", rule.Rule{When: "sender ==\n sendr", Action: "reject"}, []string{`rule[1].when: 2:2: unknown name "sendr": did you mean sender?`}},
		{"text", rule.Rule{Action: "reject", Text: "a\nb {{sendr}}"}, []string{"rule[1].text: 2:5: unknown name"}},
		{"header", rule.Rule{AddHeaders: []string{"X: a", "X: {{sendr}}", "no name", "ä: b"}}, []string{
			"rule[1].add_headers[1]: 1:6: unknown name", `rule[1].add_headers[2]: "no name" has no name of a header`, `rule[1].add_headers[3]: "ä: b"`,
		}},
		{"addresses", rule.Rule{Sender: "", AddRecipients: []string{"<>"}, DeleteRecipients: []string{"a b@x"}, RewriteRecipient: "{{rcpt"}, []string{
			"rule[1].rewrite_recipient: 1:1: {{ without }}", `rule[1].add_recipients[0]: "<>" is no address`, `rule[1].delete_recipients[0]: "a b@x" is no address`,
		}},
		{"nothing", rule.Rule{When: "tls", Continue: true}, []string{"rule[1]: it does nothing"}},
		{"no action", rule.Rule{Action: "drop"}, []string{`rule[1].action: "drop" is no action`}},
		{"code", rule.Rule{Action: "reject", Code: 450}, []string{"rule[1].code: "}},
		{"enhanced", rule.Rule{Action: "tempfail", Enhanced: "5.7.1"}, []string{"rule[1].code: "}},
		{"long text", rule.Rule{Action: "tempfail", Text: strings.Repeat("a\n", 40)}, []string{"rule[1].text: "}},
		{"long text with values", rule.Rule{Action: "tempfail", Text: strings.Repeat("{{hour}}\n", 40)}, []string{"rule[1].text: "}},
		{"code without a reply", rule.Rule{Action: "accept", Code: 550, Enhanced: "5.7.1", Text: "x"}, []string{
			"rule[1].code: it is sent with reject", "rule[1].enhanced: it is sent", "rule[1].text: it is sent",
		}},
		{"action and continue", rule.Rule{Action: "reject", Continue: true}, []string{"rule[1].continue: an action ends the rules"}},
		{"action and changes", rule.Rule{Action: "discard", Subject: "x", Quarantine: "y"}, []string{"rule[1].subject: nothing is changed with discard", "rule[1].quarantine: "}},
		{"required without changes", rule.Rule{Required: true}, []string{"rule[1].required: there is nothing"}},
		{"accepted recipient", rule.Rule{When: `rcpt == "a@x"`, Action: "accept"}, []string{"rule[1].action: a rule about recipients"}},
		{"recipient and header", rule.Rule{When: `rcpt == "a" && header("X") == ""`, Subject: "x"}, []string{"rule[1].when: 1:"}},
		{"rewriting too late", rule.Rule{When: `size > 3`, RewriteRecipient: "a@x"}, []string{"rule[1].rewrite_recipient: there is no recipient under way"}},
		{"rewriting to what is not known", rule.Rule{RewriteRecipient: `{{header("To")}}`}, []string{`rule[1].rewrite_recipient: "{{header(\"To\")}}" uses what is known from end-of-header on`}},
		{"text of what is not known", rule.Rule{Action: "reject", Text: `{{header("To")}}`}, []string{`rule[1].text: "{{header(\"To\")}}" uses what is not known`}},
		{"text of no recipient", rule.Rule{When: `size > 3`, Action: "reject", Text: `{{rcpt}}`}, []string{`rule[1].text: "{{rcpt}}" uses what is not known`}},
		{"tag of no recipient", rule.Rule{When: `rcpt == "a"`, Subject: `{{rcpt}}`}, []string{`rule[1].subject: "{{rcpt}}" is made at the end`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			settings := rule.Defaults()
			settings.Rules = rules{{When: `sender == "x"`}, tt.rule}
			handlertest.Wrong(t, settings.Check, tt.want...)
		})
	}
}

// Rules that get in each other's way.
func TestCheckTogether(t *testing.T) {
	late := rule.Rule{When: `header("X") == ""`}
	tests := []struct {
		rules rules
		want  []string
	}{
		{nil, []string{"rule: there is no rule"}},
		{rules{{Action: "reject"}, {When: "tls"}}, []string{"rule[1]: it is never asked, as rule[0] is for all"}},
		{rules{{Subject: "x", Continue: true}, {When: "tls"}}, nil},
		{rules{late, {When: `rcpt == "a"`, Action: "reject"}}, []string{"rule[1].action: no recipient can be refused any more when rule[0] has been asked, at end-of-header"}},
		{rules{late, {When: `rcpt == "a"`, Action: "discard"}}, nil},
		{rules{{When: `rcpt == "a"`}, {When: "tls", Action: "accept"}}, []string{"rule[1].action: a rule about recipients, or behind one"}},
		{rules{{When: `rcpt == "a"`, Subject: "x"}, {When: "tls", Action: "accept"}}, nil}, // it waits for the end
	}
	for _, tt := range tests {
		handlertest.Wrong(t, (&rule.Settings{Rules: tt.rules}).Check, tt.want...)
	}
}

// The error of New has each mistake, with the place in the expression.
func TestNewRefuses(t *testing.T) {
	settings := &rule.Settings{Rules: rules{{When: `in_network("trustd")`}, {When: "tls", Action: "reject", Text: "\n{{sendr}}"}}}
	_, err := rule.New(settings, names, nil)
	mistake, ok := errors.AsType[*when.SettingError](err)
	if !ok || mistake.Key != "rule[0].when" {
		t.Errorf("error %v", err)
	}
	if at, ok := errors.AsType[*when.Error](err); !ok || at.Line != 1 || at.Column != 12 {
		t.Errorf("place %+v", at)
	}
	list := settings.Mistakes(names)
	if len(list) != 2 || list[1].Key != "rule[1].text" {
		t.Fatalf("mistakes %v", list)
	}
	if at, ok := errors.AsType[*when.Error](list[1]); !ok || at.Line != 2 || at.Column != 3 {
		t.Errorf("place %+v", at)
	}
	if _, err := settings.Needs(names); err == nil {
		t.Error("needs without an error")
	}
}

func TestNeeds(t *testing.T) {
	settings := &rule.Settings{Rules: rules{{When: `authenticated`}, {When: `result("x").failed`, Subject: "{{tls_version}}"}}}
	n, err := settings.Needs(&when.Names{Results: map[string]handlers.Kind{"x": handlers.KindHeader}})
	if err != nil || !slices.Equal(n.Results, []string{"x"}) || !slices.Equal(n.Macros[protocol.StageHelo], []string{"tls_version"}) ||
		!slices.Equal(n.Macros[protocol.StageMail], []string{"auth_authen"}) {
		t.Errorf("needs %+v, %v", n, err)
	}
}

// The type "subject" tags, and tells its mistakes by its own keys.
func TestSubject(t *testing.T) {
	settings := rule.SubjectDefaults()
	settings.Tag, settings.If = "[{{sender_domain}}]", `in_network("trusted")`
	settings.Check(func(key, text string) { t.Errorf("%s: %s", key, text) })
	h, err := rule.NewSubject(settings, names, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := told(handlertest.New(t, h), letter()...); got != "change-header Subject 1 [example.org] hello" {
		t.Error(got)
	}
	if n, err := settings.Needs(names); err != nil || n.Wants.Events != handlers.Of(handlers.KindConnect) {
		t.Errorf("needs %+v, %v", n, err)
	}
	for _, tt := range []struct {
		settings rule.SubjectSettings
		want     []string
	}{
		{rule.SubjectSettings{}, []string{"tag: there is no tag"}},
		{rule.SubjectSettings{Tag: "{{x}}", If: "y", Required: true}, []string{"tag: 1:3: unknown name", "if: 1:1: unknown name"}},
	} {
		handlertest.Wrong(t, tt.settings.Check, tt.want...)
		if _, err := rule.NewSubject(&tt.settings, names, nil); err == nil {
			t.Error("made")
		}
	}
}
