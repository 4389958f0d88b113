package config

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/pelletier/go-toml/v2"

	"millstream/handlers/header"
)

// uncommented is the example with every line "#key = value" in force, which are the
// defaults. Lists of tables that are only shown stay comments.
func uncommented(t *testing.T) string {
	t.Helper()
	text := regexp.MustCompile(`(?s)#\[\[listener\]\].*?\n\n`).ReplaceAllString(string(Example), "\n")
	text, n := regexp.MustCompile(`(?m)^#(\w+ = )`).ReplaceAllString(text, "$1"), strings.Count(text, "\n#")
	if n < 50 {
		t.Fatal("no comments in the example")
	}
	return text
}

// TestExample checks that the example is the configuration without a file, and that what
// it says of defaults is so.
func TestExample(t *testing.T) {
	c, err := Default(options())
	if err != nil {
		t.Fatal(err)
	}
	said, err := Parse([]File{{"example", []byte(uncommented(t))}}, options())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"otel.endpoint", "otel.trace_trust", "log.syslog", "log.syslog_socket", "networks.internal", "lists.vip", "lists.partners.file", "dns.servers", "store.path"} {
		if !said.Has(path) {
			t.Errorf("%s is not shown", path)
		}
	}
	said.OTel.Endpoint, said.OTel.TraceTrust = "", nil
	said.Log.Syslog, said.Log.SyslogSocket = "", ""
	said.Networks, said.Lists, said.DNS.Servers = nil, nil, nil
	said.Store.Path = ""
	if got, want := string(said.Dump()), string(c.Dump()); got != want {
		t.Errorf("the example says\n%s\nbut it is\n%s", got, want)
	}
	if c.Has("admin.address") || !said.Has("admin.address") || said.Has("admin.address.port") || said.Has("none") {
		t.Error("Has does not tell what the file says")
	}
	for _, f := range fieldsOf(reflect.TypeFor[Limits]()) {
		if !said.Has("limits." + f.name) {
			t.Errorf("the example does not say limits.%s", f.name)
		}
	}
}

// TestExampleHandlers reads the handlers that the example only shows.
func TestExampleHandlers(t *testing.T) {
	_, shown, _ := strings.Cut(string(Example), "\n[[handler]]")
	var text strings.Builder
	for _, m := range regexp.MustCompile(`(?m)^#   (.*)$`).FindAllStringSubmatch(shown, -1) {
		text.WriteString(m[1] + "\n")
	}
	networks := "[networks]\ninternal = []\n"
	c, err := Parse([]File{{"example", []byte(networks + text.String())}}, options())
	if err != nil || len(c.Handlers) != 2 {
		t.Errorf("%v\n%s", err, &text)
	}
}

// TestTypesTold checks that the example and the README name all types.
func TestTypesTold(t *testing.T) {
	_, list, _ := strings.Cut(string(Example), "There are the types ")
	list, _, _ = strings.Cut(list, ";")
	told := regexp.MustCompile(`\w+`).FindAllString(strings.ReplaceAll(list, " and ", " "), -1)
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, kind := range Types() {
		names = append(names, kind.Name)
		if !strings.Contains(string(readme), "\n| `"+kind.Name+"` | ") {
			t.Errorf("the README does not say what the type %s does", kind.Name)
		}
	}
	if !slices.Equal(told, names) {
		t.Errorf("the example has the types %q, there are %q", told, names)
	}
}

// TestNothing reads an empty file: it listens, and has no handlers.
func TestNothing(t *testing.T) {
	c, err := Parse([]File{{"empty", nil}}, options())
	if err != nil || len(c.Handlers) != 0 || len(c.Listeners) != 1 || c.Listeners[0].Socket != DefaultSocket {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestDocuments loads every block of TOML in the documentation: of this package, of the
// types of handlers, and of the README.
func TestDocuments(t *testing.T) {
	dir := t.TempDir() // with the files that the blocks name
	if err := os.WriteFile(filepath.Join(dir, "redis.password"), []byte("geheim\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, least := range map[string]int{
		"../../../README.md": 1, "doc.go": 1, "../../../handlers/access/doc.go": 1, "../../../handlers/dnsbl/doc.go": 1,
		"../../../handlers/archive/doc.go": 1, "../../../handlers/greylist/doc.go": 1, "../../../handlers/ratelimit/doc.go": 1,
		"../../../handlers/rule/doc.go": 2, "../../../handlers/header/header.go": 1, "../../../handlers/reply/reply.go": 1,
	} {
		blocks := blocksOf(t, file)
		if len(blocks) < least {
			t.Errorf("%s has no block", file)
		}
		for _, b := range blocks {
			if _, err := Parse([]File{{filepath.Join(dir, "millstream.toml"), []byte(b)}}, options()); err != nil {
				t.Errorf("%s: %v\n%s", file, err, b)
			}
		}
	}
}

// blocksOf returns the blocks of TOML in a package comment or in Markdown.
func blocksOf(t *testing.T, file string) (blocks []string) {
	t.Helper()
	if filepath.Ext(file) == ".md" {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatch(string(data), -1) {
			blocks = append(blocks, m[1])
		}
		return blocks
	}
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		t.Fatal(err)
	}
	var block strings.Builder
	for line := range strings.Lines(f.Doc.Text() + "end\n") {
		indented, ok := strings.CutPrefix(line, "\t")
		if ok || line == "\n" {
			block.WriteString(indented)
			continue
		}
		if strings.HasPrefix(strings.TrimSpace(block.String()), "[[") {
			blocks = append(blocks, block.String())
		}
		block.Reset()
	}
	return blocks
}

// TestSchema validates the example, and refuses what is plainly broken.
func TestSchema(t *testing.T) {
	text, err := json.Marshal(Schema(Types()))
	if err != nil {
		t.Fatal(err)
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	schema, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	validate := func(data []byte) error {
		var v map[string]any
		if err := toml.Unmarshal(data, &v); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(v) // as an editor sees it
		if err != nil {
			t.Fatal(err)
		}
		var instance any
		if err := json.Unmarshal(text, &instance); err != nil {
			t.Fatal(err)
		}
		return schema.Validate(instance)
	}
	c, err := Default(options())
	if err != nil {
		t.Fatal(err)
	}
	for _, good := range [][]byte{
		Example, []byte(uncommented(t)), c.Dump(), nil,
		[]byte("[log]\nlevel = \"${LEVEL}\"\n[limits]\ngrace = \"${GRACE:-1m}\""),
		[]byte("[[handler]]\ntype = \"reply\"\nstage = \"mail\"\nverdict = \"accept\""),
	} {
		if err := validate(good); err != nil {
			t.Errorf("%v\n%s", err, good)
		}
	}
	for _, name := range []string{"unknown-keys", "wrong-types", "durations", "numbers", "words", "handler-types", "handler-keys", "handler-table"} {
		data, err := os.ReadFile("testdata/broken/" + name + ".toml")
		if err != nil {
			t.Fatal(err)
		}
		if validate(data) == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// TestDump reads what was dumped: it is the same, but for secrets.
func TestDump(t *testing.T) {
	c := parseWith(t, `
[[listener]]
socket = "unix:/run/a b\"c\".sock"
mode = "0600"
max_sessions = 5
[[listener]]
socket = "inet:${PORT}@127.0.0.1"
[limits]
grace = "0s"
packet_buffer = "1000B"
[otel]
sample = 0.25
[store]
type = "redis"
urls = ["redis://a", "redis://b"]
password = "geheim"
prefix = "$${PORT} $$ $x"
[[handler]]
type = "header"
remove = ["A", "B"]
change = [{ name = "Subject", value = '''[$$$${X}] "{{old}}"''', which = "last" }]
`)
	dump := string(c.Dump())
	if strings.Contains(dump, "geheim") || !strings.Contains(dump, "password = '***'") || !strings.Contains(dump, "inet:8890@") {
		t.Errorf("dumped\n%s", dump)
	}
	again := parseWith(t, dump)
	if second := string(again.Dump()); second != dump {
		t.Errorf("dumped\n%s\nthen\n%s", dump, second)
	}
	if again.Store.Prefix != "${PORT} $ $x" || again.Handlers[0].Settings.(*header.Config).Change[0].Value != `[$${X}] "{{old}}"` {
		t.Errorf("%q, %+v", again.Store.Prefix, again.Handlers[0].Settings)
	}
	c.root, again.root, again.Store.Password = nil, nil, c.Store.Password
	for i := range c.Handlers {
		c.Handlers[i].kind, again.Handlers[i].kind = nil, nil
		c.Handlers[i].texts, again.Handlers[i].texts = nil, nil
	}
	if !reflect.DeepEqual(c, again) {
		t.Errorf("%+v\nbecame\n%+v", c, again)
	}
	if !slices.Contains(strings.Split(dump, "\n"), "grace = '0s'") {
		t.Errorf("a value that is zero is not told:\n%s", dump)
	}
}
