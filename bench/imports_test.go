package bench

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The arrows of the tree. One may be skipped over, never turned round:
//
//	cmd ──▶ netio ──▶ actors ──▶ handlers ──▶ protocol ──▶ standard library
//	 │        └──▶ gnet   └──▶ protoactor, OpenTelemetry API
//	 └──▶ OpenTelemetry SDK, bench/load     bench ──▶ all but cmd
//
// Places and packages are patterns: a path in the module, or that of a package of
// another one. "/..." at its end is all below it too, a star one part of it.

// An importRule says what the files of one place may import beside the standard
// library. Tests may also import the package they stand in and testLibraries.
type importRule struct {
	from  string   // a directory, or one file of it
	may   []string // what any of the files may import
	tests []string // what tests may import beside
	why   string
}

// otherModules is every package of another module that no reservation keeps.
const otherModules = "other modules"

// importRules has the rule of a file in the first line that fits.
var importRules = []importRule{
	{
		from:  "protocol",
		tests: []string{"protocol/script"},
		why:   "protocol is bytes and values: standard library only",
	},
	{
		from: "protocol/script/...",
		may:  []string{"protocol"},
		why:  "protocol/script knows protocol alone",
	},
	{
		from:  "handlers",
		may:   []string{"protocol"},
		tests: []string{"handlers/handlertest", "protocol/script"},
		why:   "a filter is written against handlers, which knows protocol alone",
	},
	{
		from: "handlers/handlertest",
		may:  []string{"handlers", "protocol", "protocol/script"},
		why:  "handlertest knows handlers, protocol and its scripts alone",
	},
	{
		from:  "handlers/store/...",
		may:   []string{"handlers/store/...", otherModules},
		tests: []string{"handlers", "handlers/handlertest", "protocol"},
		why:   "a store knows nothing of mail: filters are written against it",
	},
	sharedRule("handlers/lists/..."),
	sharedRule("handlers/resolver/..."),
	sharedRule("handlers/when/..."),
	{
		from:  "handlers/rule/...",
		may:   []string{"handlers", "handlers/when", "protocol", otherModules},
		tests: []string{"handlers/...", "protocol/..."},
		why:   "handlers/rule is a ready-made filter that decides by the expressions of handlers/when",
	},
	{
		from:  "handlers/*/...",
		may:   []string{"handlers", "handlers/lists", "handlers/when", "handlers/resolver", "handlers/store", "protocol", otherModules},
		tests: []string{"handlers/...", "protocol/..."},
		why:   "a ready-made filter is written as one outside this module is",
	},
	telemetryRule("actors/telemetry.go"),
	telemetryRule("actors/telemetry_attributes.go"),
	telemetryRule("actors/telemetry_link.go"),
	telemetryRule("actors/telemetry_counts.go"),
	telemetryRule("actors/telemetry_metrics.go"),
	telemetryRule("actors/telemetry_visit.go"),
	{
		from: "actors/config.go",
		may:  []string{"handlers", "protocol", protoactor, otel},
		why:  "the Config of actors takes the providers of OpenTelemetry",
	},
	{
		from:  "actors/...",
		may:   []string{"handlers", "protocol", protoactor},
		tests: []string{"handlers/handlertest", "protocol/script", otel},
		why:   "actors knows handlers, protocol and protoactor, and OpenTelemetry only in telemetry.go and config.go",
	},
	{
		from:  "netio/mta/...",
		may:   []string{"protocol", "netio/internal/addr"},
		tests: []string{"protocol/script"},
		why:   "netio/mta is the other side of the wire: it knows protocol and how addresses are written",
	},
	{
		from: "netio/internal/...",
		may:  []string{"protocol", "netio/internal/...", "golang.org/x/sys/..."},
		why:  "what netio and netio/mta share knows neither",
	},
	{
		from:  "netio/...",
		may:   []string{"actors", "handlers", "protocol", "netio/internal/...", gnet, "golang.org/x/sys/..."},
		tests: []string{"netio/...", "handlers/handlertest", "protocol/script"},
		why:   "netio moves bytes between gnet and actors",
	},
	{
		from:  "bench/load/...",
		may:   []string{"protocol/...", "netio/mta", "bench/load/...", otherModules},
		tests: []string{"netio/...", "actors", "handlers/..."},
		why:   "the load generator is the MTA's side alone: the program has it too",
	},
	{
		from: "bench/...",
		may:  []string{"protocol/...", "handlers/...", "actors/...", "netio/...", "bench/...", otherModules},
		why:  "bench may look at anything but cmd",
	},
	{
		from:  "cmd/...",
		may:   []string{"protocol/...", "handlers/...", "actors", "netio/...", "bench/load/...", "cmd/internal/...", otherModules},
		tests: []string{"bench/e2e"},
		why:   "cmd wires the parts; what is only there to be tested or measured is none of them",
	},
}

// sharedRule is the rule of what ready-made filters share.
func sharedRule(from string) importRule {
	return importRule{
		from:  from,
		may:   []string{"handlers", "protocol", otherModules},
		tests: []string{"handlers/...", "protocol/..."},
		why:   "what ready-made filters share knows none of them",
	}
}

// telemetryRule is the rule of a file that measures sessions.
func telemetryRule(file string) importRule {
	return importRule{
		from: file,
		may:  []string{"handlers", "protocol", protoactor, otel},
		why:  "actors measures sessions",
	}
}

// peersModule is a module of its own.
const peersModule = "bench/peers/..."

const (
	module     = "millstream"
	protoactor = "github.com/asynkron/protoactor-go/..."
	gnet       = "github.com/panjf2000/gnet/..."
	otel       = "go.opentelemetry.io/otel/..."
)

// reservations are the packages of others that one place has for itself, so that
// the rest does not depend on them.
var reservations = []struct{ packages, place string }{
	{protoactor, "actors/..."},
	{gnet, "netio/..."},
	{"go.opentelemetry.io/otel/sdk/...", "cmd/..."},
	{"go.opentelemetry.io/otel/exporters/...", "cmd/..."},
	{"go.opentelemetry.io/contrib/...", "cmd/..."},
	{"github.com/redis/rueidis/...", "handlers/store/redis/..."},
}

// testLibraries may be imported by every test.
var testLibraries = []string{"github.com/google/go-cmp/...", "go.uber.org/goleak/..."}

// checkImport returns which arrow is broken where a file imports a package, or "".
func checkImport(file, pkg string) string {
	if isStandard(pkg) {
		return ""
	}
	for _, r := range reservations {
		if matches(peersModule, file) {
			break // who uses this module does not get what that one depends on
		}
		if matches(r.packages, pkg) && !matches(r.place, file) {
			return fmt.Sprintf("only %s imports %s", strings.TrimSuffix(r.place, "/..."), strings.TrimSuffix(r.packages, "/..."))
		}
	}
	dir := path.Dir(file)
	i := slices.IndexFunc(importRules, func(r importRule) bool { return matches(r.from, file) || matches(r.from, dir) })
	if i < 0 {
		return "there is no rule for this place in importRules"
	}
	rule := importRules[i]
	may := rule.may
	if strings.HasSuffix(file, "_test.go") {
		may = slices.Concat(may, rule.tests, testLibraries, []string{dir})
	}
	local, ours := strings.CutPrefix(pkg, module+"/")
	for _, pattern := range may {
		if matches(pattern, local) || pattern == otherModules && !ours {
			return ""
		}
	}
	return rule.why
}

// isStandard reports whether a package belongs to Go: the paths of others begin
// with the name of a host.
func isStandard(pkg string) bool {
	first, _, _ := strings.Cut(pkg, "/")
	return first != module && !strings.Contains(first, ".")
}

// matches reports whether a pattern fits a path.
func matches(pattern, name string) bool {
	pattern, below := strings.CutSuffix(pattern, "/...")
	want, have := strings.Split(pattern, "/"), strings.Split(name, "/")
	if len(have) < len(want) || len(have) > len(want) && !below {
		return false
	}
	for i, part := range want {
		if part != "*" && part != have[i] {
			return false
		}
	}
	return true
}

func TestImports(t *testing.T) {
	for _, f := range sources(t) {
		for _, spec := range f.ast.Imports {
			pkg, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if broken := checkImport(f.path, pkg); broken != "" {
				t.Errorf("%s:%d imports %s: %s", f.path, f.line(spec.Pos()), pkg, broken)
			}
		}
	}
}

func TestCheckImport(t *testing.T) {
	tests := []struct {
		file, pkg string
		ok        bool
	}{
		{"protocol/frame.go", "encoding/binary", true},
		{"protocol/frame.go", "golang.org/x/sys/unix", false},
		{"protocol/frame.go", "millstream/handlers", false},
		{"protocol/frame.go", "millstream/protocol/script", false},
		{"protocol/session_test.go", "millstream/protocol/script", true},
		{"protocol/session_test.go", "millstream/protocol", true},
		{"protocol/session_test.go", "millstream/handlers", false},
		{"handlers/go.go", "millstream/protocol", true},
		{"handlers/go.go", "millstream/handlers/handlertest", false},
		{"handlers/go.go", "millstream/actors", false},
		{"handlers/example_scanner_test.go", "millstream/handlers/handlertest", true},
		{"handlers/example_scanner_test.go", "millstream/netio", false},
		{"handlers/handlertest/session.go", "millstream/handlers", true},
		{"handlers/handlertest/session.go", "go.opentelemetry.io/otel", false},
		{"handlers/spf/spf.go", "blitiri.com.ar/go/spf", true},
		{"handlers/spf/spf.go", "millstream/actors", false},
		{"handlers/spf/spf.go", "millstream/handlers/lists", true},
		{"handlers/spf/spf.go", "millstream/handlers/access", false},
		{"handlers/access/filter.go", "millstream/handlers/lists", true},
		{"handlers/lists/set.go", "millstream/handlers/access", false},
		{"handlers/when/names.go", "millstream/handlers/lists", false},
		{"handlers/ratelimit/ratelimit.go", "millstream/handlers/store", true},
		{"handlers/ratelimit/ratelimit.go", "millstream/handlers/store/memory", false},
		{"handlers/ratelimit/ratelimit.go", "github.com/redis/rueidis", false},
		{"handlers/store/store.go", "millstream/handlers", false},
		{"handlers/store/redis/store.go", "millstream/handlers/store/internal/local", true},
		{"handlers/store/redis/store.go", "github.com/redis/rueidis", true},
		{"handlers/rule/filter.go", "millstream/handlers/when", true},
		{"handlers/when/group.go", "millstream/handlers/rule", false},
		{"actors/session.go", "github.com/asynkron/protoactor-go/actor", true},
		{"actors/session.go", "github.com/panjf2000/gnet/v2", false},
		{"actors/session.go", "go.opentelemetry.io/otel/trace", false},
		{"actors/telemetry.go", "go.opentelemetry.io/otel/trace", true},
		{"actors/telemetry.go", "go.opentelemetry.io/otel/sdk/metric", false},
		{"actors/session_test.go", "go.uber.org/goleak", true},
		{"actors/session.go", "go.uber.org/goleak", false},
		{"actors/session.go", "millstream/netio", false},
		{"netio/server.go", "millstream/actors", true},
		{"netio/server.go", "github.com/panjf2000/gnet/v2", true},
		{"netio/server.go", "github.com/asynkron/protoactor-go/actor", false},
		{"netio/server.go", "millstream/netio/mta", false},
		{"netio/server_test.go", "millstream/netio/mta", true},
		{"netio/mta/conn.go", "millstream/netio/internal/addr", true},
		{"netio/mta/conn.go", "millstream/netio", false},
		{"netio/internal/addr/addr.go", "millstream/netio", false},
		{"bench/load/run.go", "millstream/netio/mta", true},
		{"bench/load/run.go", "millstream/actors", false},
		{"bench/server_test.go", "millstream/actors", true},
		{"bench/server_test.go", "millstream/cmd/millstream", false},
		{"cmd/millstream/serve.go", "github.com/spf13/cobra", true},
		{"cmd/millstream/telemetry.go", "go.opentelemetry.io/otel/sdk/trace", true},
		{"cmd/millstream/serve.go", "millstream/bench/e2e", false},
		{"cmd/millstream/serve_test.go", "millstream/bench/e2e", true},
		{"cmd/other/main.go", "millstream/cmd/millstream", false},
		{"elsewhere/x.go", "millstream/protocol", false},
	}
	for _, tt := range tests {
		if broken := checkImport(tt.file, tt.pkg); (broken == "") != tt.ok {
			t.Errorf("%s imports %s: allowed = %v, want %v %s", tt.file, tt.pkg, !tt.ok, tt.ok, broken)
		}
	}
}
