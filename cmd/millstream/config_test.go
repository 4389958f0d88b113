package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"millstream/cmd/internal/config"
	"millstream/handlers"
	"millstream/protocol"
)

// defaultHeader is the header that is added if there is no file.
const defaultHeader = "X-Millstream"

// defaultFilter returns what is served if there is no file.
func defaultFilter(log *slog.Logger) handlers.Handler {
	c, err := config.Default(config.Options{})
	if err != nil {
		panic(err)
	}
	g, err := c.Build(config.Env{Observed: logObserved(log)})
	if err != nil {
		panic(err)
	}
	return filter(c, g, log)
}

// run runs the program and returns what it prints.
func run(t *testing.T, args ...string) (out, errOut string, status int) {
	t.Helper()
	return runWith(t, "", args...)
}

// runWith is run with something on standard input.
func runWith(t *testing.T, in string, args ...string) (out, errOut string, status int) {
	t.Helper()
	var o, e bytes.Buffer
	c := root()
	c.SetArgs(args)
	c.SetIn(strings.NewReader(in))
	c.SetOut(&o)
	c.SetErr(&e)
	err := c.ExecuteContext(t.Context())
	if err != nil && !errors.As(err, new(verdict)) {
		e.WriteString(err.Error())
	}
	return o.String(), e.String(), exitCode(err)
}

// configFile writes a configuration.
func configFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "millstream.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestCheck checks files with and without mistakes.
func TestCheck(t *testing.T) {
	example, _, status := run(t, "config", "example")
	if status != 0 || example != string(config.Example) {
		t.Errorf("example: %d\n%s", status, example)
	}
	good := configFile(t, example)
	if out, errOut, status := run(t, "check", "-c", good); status != 0 || out+errOut != "" {
		t.Errorf("%d %s%s", status, out, errOut)
	}
	bad := configFile(t, "[limits]\nlops = 1\n[[handler]]\ntype = \"replay\"\n")
	want := bad + ":2:1: unknown key `lops` in limits: did you mean `loops`?\n" +
		bad + ":4:8: `handler[0].type`: there is no type \"replay\": did you mean `reply`? There are access, archive, dnsbl, greylist, header, ratelimit, reply, rule, subject\n"
	for _, args := range [][]string{{"check", "-c", bad}, {"config", "dump", "-c", bad}, {"serve", "-c", bad}} {
		if out, errOut, status := run(t, args...); status != 1 || errOut != want || out != "" {
			t.Errorf("%v: %d\n%s%s", args, status, out, errOut)
		}
	}
	if out, errOut, status := runWith(t, example, "check", "-c", "-"); status != 0 || out+errOut != "" {
		t.Errorf("standard input: %d %s%s", status, out, errOut)
	}
	for _, args := range [][]string{{"check", "-c", "-"}, {"config", "dump", "-c", "-"}} {
		_, errOut, status := runWith(t, "[log]\nlevel = 3\n", args...)
		if status != 1 || !strings.HasPrefix(errOut, "stdin:2:9: `log.level` is an integer") {
			t.Errorf("standard input: %v: %d %s", args, status, errOut)
		}
	}
	list := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(list, []byte("192.0.2.1\n192.0.2.1/24\n192.0.2.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	listed := configFile(t, "[networks]\nbad = { file = \""+list+"\" }\n")
	for _, command := range []string{"check", "serve"} {
		_, errOut, status := run(t, command, "-c", listed)
		if lines := strings.Count(errOut, list+":"); status != 1 || lines != 2 || !strings.Contains(errOut, list+`:2: "192.0.2.1/24" is no network`) {
			t.Errorf("%s: %d %s", command, status, errOut)
		}
	}
	if _, errOut, status := run(t, "check", "-c", good+".none"); status != 1 || !strings.Contains(errOut, "no such file") {
		t.Errorf("no file: %d %s", status, errOut)
	}
	if _, errOut, status := run(t, "check"); status == 0 || !strings.Contains(errOut, "config") {
		t.Errorf("no flag: %d %s", status, errOut)
	}
}

// TestConfigPrints prints what is in force, and the schema.
func TestConfigPrints(t *testing.T) {
	file := configFile(t, "[limits]\nloops = 3\n[store]\ntype = \"redis\"\nurls = [\"redis://a\"]\npassword = \"geheim\"\n")
	out, errOut, status := run(t, "config", "dump", "-c", file)
	if status != 0 || strings.Contains(out, "geheim") || !strings.Contains(out, "loops = 3\n") || !strings.Contains(out, "password = '***'") {
		t.Errorf("%d\n%s%s", status, out, errOut)
	}
	if _, _, status := run(t, "check", "-c", configFile(t, out)); status != 0 {
		t.Errorf("what is dumped has mistakes:\n%s", out)
	}
	if out, _, status = run(t, "config", "dump"); status != 0 || !strings.Contains(out, defaultHeader) {
		t.Errorf("%d\n%s", status, out)
	}
	out, _, status = run(t, "config", "schema")
	var schema map[string]any
	if err := json.Unmarshal([]byte(out), &schema); err != nil || status != 0 || schema["$schema"] == nil {
		t.Errorf("%d, %v\n%s", status, err, out)
	}
}

// TestServeFile serves a file, with a socket of a flag in place of its own.
func TestServeFile(t *testing.T) {
	dir := t.TempDir()
	file := configFile(t, `
[[listener]]
socket = "unix:`+dir+`/unused"
[log]
format = "json"
[admin]
address = ""
[[handler]]
type = "reply"
mode = "observe"
stage = "eom"
verdict = "reject"
text = "not today"
[[handler]]
type = "header"
when = 'in_list("senders", sender_domain)'
add = [{ name = "X-File", value = "{{queue_id}}" }]
[[handler]]
type = "header"
name = "none"
when = '!in_list("senders", sender_domain)'
add = [{ name = "X-None", value = "x" }]
[lists]
senders = ["EXAMPLE.com"]
`)
	socket := "unix:" + filepath.Join(dir, "s")
	p := start(t, "serve", "-c", file, "-p", socket, "--unix-mode", "0600")
	p.until(t, "INPUT_MAIL_FILTER")
	if info, err := os.Lstat(filepath.Join(dir, "s")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket %v, %v", info, err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "unused")); err == nil {
		t.Error("it listens on the socket of the file too")
	}
	c := connect(t, socket)
	if changes := send(t, c, "Q1"); len(changes) != 1 || string(changes[0].Name) != "X-File" || string(changes[0].Value) != "Q1" {
		t.Errorf("changes %v", changes)
	}
	_ = c.Close()
	waitFor(t, "the line of the message", func() bool { return strings.Contains(p.log(), `"msg":"message"`) })
	for _, want := range []string{`"msg":"observed only","handler":"reply"`, `"reply":"550 not today"`, `"admin":"none"`, `"verdict":"continue"`} {
		if !strings.Contains(p.log(), want) {
			t.Errorf("no %s in\n%s", want, p.log())
		}
	}
	_ = p.Process.Kill()
	p.exit()
}

// TestFlagsWin checks that each flag counts more than the file, and none that is not
// given.
func TestFlagsWin(t *testing.T) {
	file := configFile(t, `
[[listener]]
socket = "unix:/run/a"
mode = "0600"
group = "mail"
[limits]
max_sessions = 1
loops = 1
grace = "1s"
[log]
format = "json"
level = "debug"
syslog = "mail"
syslog_socket = "/log/a"
[otel]
trace_addresses = "clear"
trace_trust = ["192.0.2.1"]
trace_insert = true
[admin]
address = "127.0.0.1:1"
[control]
path = "/run/control/a"
`)
	flags := serveFlags{
		file: file, sockets: []string{"unix:/run/b"}, mode: "0620", group: "postfix", maxSessions: 2, loops: 2,
		grace: 2 * time.Second, logFormat: "text", logLevel: slog.LevelWarn, admin: "127.0.0.1:2", addresses: "hashed",
		syslog: "local1", syslogAt: "/log/b", trusted: []string{"192.0.2.2"}, control: "/run/control/b",
	}
	settings := func(given func(string) bool) []any {
		f := flags
		f.given = given
		c, err := f.load()
		if err != nil {
			t.Fatal(err)
		}
		l := c.Listeners[0]
		return []any{
			l.Socket, l.Mode.String(), l.Group, c.Limits.MaxSessions, c.Limits.Loops, c.Limits.Grace.String(),
			c.Log.Format, c.Log.Level, c.OTel.TraceAddresses, c.Admin.Address,
			c.Log.Syslog, c.Log.SyslogSocket, fmt.Sprint(c.OTel.TraceTrust), c.OTel.TraceInsert, c.Control.Path,
		}
	}
	ofFile := []any{
		"unix:/run/a", "0600", "mail", 1, 1, "1s", "json", "debug", "clear", "127.0.0.1:1",
		"mail", "/log/a", "[192.0.2.1/32]", true, "/run/control/a",
	}
	ofFlags := []any{
		"unix:/run/b", "0620", "postfix", 2, 2, "2s", "text", "warn", "hashed", "127.0.0.1:2",
		"local1", "/log/b", "[192.0.2.2/32]", false, "/run/control/b",
	}
	names := []string{
		"socket", "unix-mode", "unix-group", "max-sessions", "loops", "grace", "log-format", "log-level", "trace-addresses", "admin",
		"syslog", "syslog-socket", "trace-trust", "trace-insert", "control",
	}
	serveCommand().Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "config" && !slices.Contains(names, f.Name) {
			t.Errorf("the file has nothing for --%s, or this test does not", f.Name)
		}
	})
	for i, name := range names {
		want := slices.Clone(ofFile)
		want[i] = ofFlags[i]
		if i == 0 {
			want[1], want[2] = "0000", "" // those of the file are of its own socket
		}
		if got := settings(func(flag string) bool { return flag == name }); !slices.Equal(got, want) {
			t.Errorf("--%s: %v, want %v", name, got, want)
		}
	}
	if got := settings(func(string) bool { return false }); !slices.Equal(got, ofFile) {
		t.Errorf("no flag: %v", got)
	}
}

// TestInherited looks for sockets of systemd by their names.
func TestInherited(t *testing.T) {
	env := map[string]string{"LISTEN_PID": "7", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "mail:admin:mail"}
	getenv := func(name string) string { return env[name] }
	listeners := []config.Listener{{Socket: "systemd:mail", MaxSessions: 3}, {Socket: "inet:8890"}}
	got, err := inherited(listeners, getenv, 7)
	want := []config.Listener{{Socket: "fd:3", MaxSessions: 3}, {Socket: "fd:5", MaxSessions: 3}, {Socket: "inet:8890"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := inherited(listeners, getenv, 8); err == nil { // they are another process's
		t.Error("sockets of another process")
	}
	for _, name := range []string{"LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID"} {
		old := env[name]
		env[name] = "x"
		if _, err := inherited(listeners, getenv, 7); err == nil || !strings.Contains(err.Error(), "FileDescriptorName=mail") {
			t.Errorf("%s: %v", name, err)
		}
		env[name] = old
	}
}

// TestSetVariables checks that the environment counts more than the file.
func TestSetVariables(t *testing.T) {
	noVariables(t)
	t.Setenv("OTEL_SERVICE_NAME", "mine")
	t.Setenv("OTEL_TRACES_SAMPLER", "always_off")
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_SAMPLER_ARG", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		t.Setenv(name, "") // so that it is put back
		_ = os.Unsetenv(name)
	}
	if err := setVariables(&config.OTel{Endpoint: "http://127.0.0.1:1", Protocol: "grpc", ServiceName: "hub", Sample: 0.5}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"OTEL_SERVICE_NAME": "mine", "OTEL_TRACES_SAMPLER": "always_off", "OTEL_TRACES_SAMPLER_ARG": "",
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
	} {
		if got := os.Getenv(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// TestNoMessages checks that the line of a message can be switched off, and that the MTA
// is then asked for less.
func TestNoMessages(t *testing.T) {
	c, err := config.Parse([]config.File{{Name: "f", Data: []byte("[log]\nmessages = false\n")}}, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := c.Build(config.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if wants := filter(c, g, slog.New(slog.DiscardHandler)).Wants(); wants.Events != 0 {
		t.Errorf("wants %v", wants)
	}
	if wants := defaultFilter(slog.New(slog.DiscardHandler)).Wants(); wants.Replies != handlers.Of(handlers.KindEndOfMessage) ||
		!wants.Steps().Has(protocol.NoReply(protocol.CodeRcptTo)) {
		t.Errorf("the MTA waits for %v", wants.Replies)
	}
}
