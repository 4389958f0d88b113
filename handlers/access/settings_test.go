package access_test

import (
	"strings"
	"testing"

	"millstream/handlers/access"
	"millstream/handlers/handlertest"
	"millstream/handlers/lists"
)

// What is wrong with settings is told by its key, and how to mend it.
func TestCheck(t *testing.T) {
	here := []string{"192.0.2.1"}
	tests := []struct {
		name  string
		rules []access.Rule
		want  []string
	}{
		{"right", []access.Rule{{LookUp: "client", Entries: here, Action: "reject"}}, nil},
		{"no rule", nil, []string{"rule: there is no rule: write [[handler.rule]]"}},
		{"nothing to look in", []access.Rule{{LookUp: "client", Action: "reject"}}, []string{"rule[0].entries: there is nothing to look in"}},
		{"path", []access.Rule{{LookUp: "client", Files: []string{"/a", "b"}, Action: "reject"}}, []string{`rule[0].files[1]: "b" has no place`}},
		{
			"kind",
			[]access.Rule{{LookUp: "client", Kind: "names", Entries: here, Action: "reject"}},
			[]string{"rule[0].kind: client is not looked up in a list of names: take one of networks"},
		},
		{
			"entries",
			[]access.Rule{{LookUp: "client", Entries: []string{"192.0.2.1", "x", "192.0.2.2 OK", "192.0.2.3 NO", "192.0.2.4 REJECT 4.7.1 x"}, Action: "reject"}},
			[]string{
				`rule[0].entries[1]: "x" is no network`, `rule[0].entries[3]: "NO" is nothing that can be done: write OK, DUNNO`,
				"rule[0].entries[4]: milter: invalid",
			},
		},
		{"ignored values", []access.Rule{{LookUp: "client", Entries: []string{"192.0.2.1 SBL1"}, Values: "ignore", Action: "reject"}}, nil},
		{
			"said with it",
			[]access.Rule{{LookUp: "client", Entries: []string{"192.0.2.1 OK friend"}, Action: "reject"}},
			[]string{`rule[0].entries[0]: nothing is said with it: leave out "friend"`},
		},
		{"code", []access.Rule{{LookUp: "client", Entries: here, Action: "accept", Code: 550}}, []string{"rule[0].code: no code is sent with accept"}},
		{"enhanced", []access.Rule{{LookUp: "client", Entries: here, Action: "discard", Enhanced: "5.7.1"}}, []string{"rule[0].enhanced: no code is sent with discard"}},
		{"text", []access.Rule{{LookUp: "client", Entries: here, Action: "continue", Text: "x"}}, []string{"rule[0].text: nothing is said with continue"}},
		{"class", []access.Rule{{LookUp: "client", Entries: here, Action: "reject", Code: 450}}, []string{"rule[0].code: milter: invalid"}},
		{"control character", []access.Rule{{LookUp: "client", Entries: here, Action: "reject", Text: "a\x00b"}}, []string{"rule[0].text: milter: "}},
		{"reason", []access.Rule{{LookUp: "client", Entries: here, Action: "quarantine", Text: "a\nb"}}, []string{`rule[0].text: "a\nb" has a line break`}},
		{"whole message", []access.Rule{
			{LookUp: "recipient", Entries: []string{"a@ HOLD", "b@ OK"}, Action: "accept"},
			{LookUp: "client", Entries: []string{"192.0.2.1 ACCEPT"}, Action: "reject"},
		}, []string{
			"rule[0].action: a rule about recipients, or behind one, decides for one recipient alone",
			"rule[1].entries[0]: ACCEPT: a rule about recipients, or behind one",
		}},
		{"held before", []access.Rule{
			{LookUp: "client", Entries: []string{"192.0.2.1 ACCEPT"}, Action: "quarantine"}, {LookUp: "recipient", Entries: []string{"a@"}, Action: "discard"},
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			settings := access.Defaults()
			settings.Rules = tt.rules
			handlertest.Wrong(t, settings.Check, tt.want...)
			if _, err := access.New(settings, lists.NewSet(lists.Config{})); (err == nil) != (len(tt.want) == 0) {
				t.Errorf("New: %v", err)
			}
		})
	}
}

// What Check leaves to tags, and to the set of lists, New refuses.
func TestNewRefuses(t *testing.T) {
	set := lists.NewSet(lists.Config{})
	if _, err := set.Add(lists.Spec{Name: "names", Kind: lists.Names, Path: "/names"}); err != nil {
		t.Fatal(err)
	}
	for want, rule := range map[string]access.Rule{
		`rule[0].look_up: "body" cannot be looked up`:                  {LookUp: "body", Entries: []string{"x"}, Action: "reject"},
		`rule[0].action: "drop" is no action`:                          {LookUp: "helo", Entries: []string{"x"}, Action: "drop"},
		`rule[0].lists[0]: there is no list "vip": known are names`:    {LookUp: "helo", Lists: []string{"vip"}, Action: "reject"},
		"rule[0].lists[0]: client is not looked up in a list of names": {LookUp: "client", Lists: []string{"names"}, Action: "reject"},
	} {
		if _, err := access.New(&access.Settings{Rules: []access.Rule{rule}}, set); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// Lists that cannot be used are told by their keys, all of them.
func TestCheckLists(t *testing.T) {
	set := lists.NewSet(lists.Config{})
	(&access.Settings{Rules: []access.Rule{{LookUp: "helo", Lists: []string{"vip"}}}}).CheckLists(set, func(key, text string) {
		if key != "rule[0].lists[0]" || text != `there is no list "vip": none has a name` {
			t.Errorf("%s: %s", key, text)
		}
	})
	for name, kind := range map[string]lists.Kind{"names": lists.Names, "nets": lists.Networks} {
		if _, err := set.Add(lists.Spec{Name: name, Kind: kind}); err != nil {
			t.Fatal(err)
		}
	}
	settings := &access.Settings{Rules: []access.Rule{
		{LookUp: "client", Lists: []string{"nets", "names"}},
		{LookUp: "body", Lists: []string{"vip"}},
		{LookUp: "sender", Lists: []string{"vip", "names"}},
	}}
	handlertest.Wrong(t, func(wrong func(key, text string)) { settings.CheckLists(set, wrong) },
		"rule[0].lists[1]: client is not looked up in a list of names",
		`rule[2].lists[0]: there is no list "vip": known are n`)
}

// Values in files are checked when the file is read, with its line.
func TestValuesOfFiles(t *testing.T) {
	path := write(t, "a@x.example OK", "b@x.example", "c@x.example GO", "d@x.example HOLD")
	set := lists.NewSet(lists.Config{})
	rule := access.Rule{LookUp: "recipient", Files: []string{path}, Action: "reject"}
	if _, err := access.New(&access.Settings{Rules: []access.Rule{rule}}, set); err != nil {
		t.Fatal(err)
	}
	err := set.Open()
	if err == nil || !strings.Contains(err.Error(), path+`:3: "GO" is nothing that can be done`) ||
		!strings.Contains(err.Error(), path+":4: HOLD: a rule about recipients") {
		t.Errorf("error %v", err)
	}
}
