package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"millstream/actors"
	"millstream/bench/load"
	"millstream/cmd/internal/config"
	"millstream/netio/mta"
	"millstream/protocol"
)

// generationText is a configuration whose handler names itself in a header.
func generationText(socket, name string) string {
	return fmt.Sprintf(`
[[listener]]
socket = %q
[log]
level = "warn"
[limits]
idle = "1m"
[admin]
address = "127.0.0.1:0"
[[handler]]
type = "header"
add = [{ name = "X-Generation", value = %q }]
`, socket, name)
}

// rewrite gives a file another content.
func rewrite(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// generationOf does a message and returns what its header says.
func generationOf(t *testing.T, c *mta.Conn) string {
	t.Helper()
	changes := send(t, c, "Q1")
	if len(changes) != 1 {
		t.Fatalf("changes %v", changes)
	}
	return strings.TrimSpace(string(changes[0].Value))
}

// TestReload has a server read its file again, by the command and by the signal.
func TestReload(t *testing.T) {
	dir := t.TempDir()
	socket, control := "unix:"+filepath.Join(dir, "s"), filepath.Join(dir, "control")
	file := configFile(t, generationText(socket, "one"))
	told := notified(t)
	p := start(t, "serve", "-c", file, "--control", control, "--log-level", "info")
	p.until(t, "INPUT_MAIL_FILTER")
	told("READY=1")
	old := connect(t, socket)

	rewrite(t, file, strings.Replace(generationText(socket, "two"), "1m", "2m", 1)+"[[listener]]\nsocket = \"unix:/nowhere\"\n")
	out, errOut, status := run(t, "reload", "--control", control)
	for _, want := range []string{
		"limits.idle: '2m0s', it was '1m0s'\n", "handler.header: changed\n",
		"unix:/nowhere", "(not in force: it needs a restart)\n", "generation 2 is in force for new sessions\n",
	} {
		if status != 0 || errOut != "" || !strings.Contains(out, want) {
			t.Errorf("%d, no %q in %s%s", status, want, out, errOut)
		}
	}
	told("RELOADING=1\nMONOTONIC_USEC=")
	told("READY=1")
	if a, b := generationOf(t, old), generationOf(t, connect(t, socket)); a != "one" || b != "two" {
		t.Errorf("the session under way has %s, a new one %s", a, b)
	}

	rewrite(t, file, "[limits]\nlops = 1\n")
	want := file + ":2:1: unknown key `lops` in limits: did you mean `loops`?\n"
	if out, errOut, status := run(t, "reload", "--control", control); status != 1 || out != "" || errOut != want {
		t.Errorf("%d %s%s", status, out, errOut)
	}
	if b := generationOf(t, connect(t, socket)); b != "two" {
		t.Errorf("after a mistake %s", b)
	}
	waitFor(t, "the log tells", func() bool { return strings.Contains(p.log(), "configuration not reloaded") })

	rewrite(t, file, generationText(socket, "three"))
	if err := p.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the log tells", func() bool { return strings.Contains(p.log(), "by=SIGHUP generation=3") })
	if b := generationOf(t, connect(t, socket)); b != "three" {
		t.Errorf("after the signal %s", b)
	}
	if !strings.Contains(p.log(), "keys=listener") {
		t.Errorf("the log does not say what needs a restart:\n%s", p.log())
	}
	told("RELOADING=1") // the one with the mistake
	told("READY=1")
	told("RELOADING=1")
	told("READY=1")
	_ = p.Process.Signal(syscall.SIGTERM)
	told("STOPPING=1")
	_ = p.Process.Signal(syscall.SIGTERM) // sessions are open
	p.exit()
}

// TestReloadCounters checks that what a rate limit has counted goes on counting after a
// reload, also with another limit.
func TestReloadCounters(t *testing.T) {
	noVariables(t)
	text := `
[admin]
address = ""
[[handler]]
type = "ratelimit"
[[handler.limit]]
name = "sender"
key = ["sender"]
what = "messages"
limit = LIMIT
window = "24h"
`
	control := filepath.Join(t.TempDir(), "control")
	file := configFile(t, strings.Replace(text, "LIMIT", "2", 1))
	s := startServe(t, serveFlags{file: file, control: control, given: func(flag string) bool { return flag == "control" || flag == "socket" }}, nil)
	mails := func(want ...protocol.Status) {
		t.Helper()
		got := deliverAll(t, s.socket, slices.Repeat([]*mta.Mail{mail("Q1")}, len(want))...)
		if !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	const taken, refused = protocol.StatusContinue, protocol.StatusTempFail
	mails(taken, taken, refused)
	for _, limit := range []string{"2", "3"} {
		rewrite(t, file, strings.Replace(text, "LIMIT", limit, 1))
		if out, errOut, status := run(t, "reload", "--control", control); status != 0 {
			t.Fatalf("%d %s%s", status, out, errOut)
		}
		if limit == "2" {
			mails(refused)
		} else {
			mails(taken, refused)
		}
	}
	s.stop(t)
}

// notified has programs that are started tell a service manager of themselves. The
// function waits until one has told what begins with a text.
func notified(t *testing.T) func(text string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return func(text string) {
		t.Helper()
		b := make([]byte, 1000)
		if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := c.Read(b)
		if err != nil || !strings.HasPrefix(string(b[:n]), text) {
			t.Errorf("told %q, %v; want %q", b[:n], err, text)
		}
	}
}

// TestReloadUnderLoad reloads a hundred times under load, every other time from a file
// with a mistake. No message fails, and nothing is left of the generations.
func TestReloadUnderLoad(t *testing.T) {
	const reloads = 100
	noVariables(t)
	leaks, files := goleak.IgnoreCurrent(), openFiles(t)
	socket := "unix:" + filepath.Join(t.TempDir(), "s")
	file := configFile(t, generationText(socket, "first"))
	quiet := slog.New(slog.DiscardHandler)
	told, err := openTelemetry(t.Context(), quiet, true)
	if err != nil {
		t.Fatal(err)
	}
	m := &maker{load: func() (*config.Config, error) { return readConfig(file) }, told: told, log: quiet, level: new(slog.LevelVar)}
	c, err := m.load()
	if err != nil {
		t.Fatal(err)
	}
	server, r, err := m.listen(c)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(context.Background()) }()

	ctx, end := context.WithCancel(t.Context())
	defer end()
	result := make(chan *load.Result, 1)
	go func() { result <- flood(ctx, t, socket) }()
	reloadOften(ctx, t, r, reloads, file, socket)
	end()
	got := <-result
	if got.Failures() != 0 || got.Counts.Messages == 0 || got.Verdicts["continue"] != got.Counts.Messages || got.Counts.Changes != got.Counts.Messages {
		t.Errorf("%+v", got)
	}
	t.Logf("%d messages in %d sessions", got.Counts.Messages, got.Counts.Sessions)
	if l := m.level.Level(); l != slog.LevelWarn {
		t.Errorf("the log is of level %v", l)
	}
	if n := r.state().Generation; n != 1+reloads/2 {
		t.Errorf("generation %d", n)
	}
	text, _ := scrape(t, told, "")
	for _, want := range []string{`millstream_config_reloads_total{result="ok"} 50`, `millstream_config_reloads_total{result="error"} 50`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	if err := errors.Join(server.Shutdown(t.Context()), <-served); err != nil {
		t.Error(err)
	}
	r.close()
	if _, err := r.reload(context.Background(), "test"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a reload at the end: %v", err)
	}
	if err := told.close(context.Background()); err != nil {
		t.Error(err)
	}
	goleak.VerifyNone(t, leaks)
	if now := openFiles(t); now > files {
		t.Errorf("%d files are open, %d were", now, files)
	}
}

// reloadOften reloads a number of times, every other time from a file with a mistake, and
// waits for a session to begin each time.
func reloadOften(ctx context.Context, t *testing.T, r *reloader, times int, file, socket string) {
	t.Helper()
	var last uint64 // session that began before a reload
	renewed := func() bool {
		s := r.server.Sessions()
		return len(s) > 0 && s[0].ID > last
	}
	for i := range times {
		waitFor(t, "sessions that began since", renewed)
		text, broken := generationText(socket, strconv.Itoa(i)), i%2 == 1
		if broken {
			text += "[limits]\n" // is there already
		}
		rewrite(t, file, text)
		if _, err := r.reload(ctx, "test"); (err != nil) != broken {
			t.Fatalf("reload %d: %v", i, err)
		}
		if broken != !r.state().FailedAt.IsZero() {
			t.Errorf("reload %d: %+v", i, r.state())
		}
		for _, s := range r.server.Sessions() {
			last = max(last, s.ID)
		}
	}
}

// flood sends messages until ctx ends, three over each connection.
func flood(ctx context.Context, t *testing.T, socket string) *load.Result {
	r, err := load.Run(ctx, load.Config{
		Address: socket, Connections: 20, Reuse: 3, Expect: []string{"x-generation"},
		Mails: []*mta.Mail{mta.NewMail("<a@example.com>", []string{"<b@example.net>"}, []byte("Subject: hi\n\nHello\n"))},
	}, nil)
	if err != nil {
		t.Error(err)
	}
	return r
}

// openFiles returns how many file descriptors are open.
func openFiles(t *testing.T) int {
	t.Helper()
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		l.Close() // from now on the runtime has the files that it keeps
	}
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(list)
}

// TestReloadTold checks what of a reload is shown.
func TestReloadTold(t *testing.T) {
	now := reloadState{Generation: 3, LoadedAt: time.Unix(1700000000, 0).UTC()}
	s := newStatus(newHistory(1), func() []actors.Info { return nil })
	s.config = func() reloadState { return now }
	up := health{config: s.config}
	up.serving.Store(true)
	pages := adminHandler(s.routes, up.routes)
	for _, failed := range []bool{false, true} {
		if failed {
			now.FailedAt = now.LoadedAt.Add(time.Hour)
		}
		text := askStatus(t, pages, http.MethodGet, "/api/summary", "localhost").Body.Bytes()
		var j summaryJSON
		if err := json.Unmarshal(text, &j); err != nil || j.Config == nil || *j.Config != now {
			t.Errorf("%v: %s, want %+v", err, text, now)
		}
		ready := askStatus(t, pages, http.MethodGet, "/readyz", "localhost")
		if ready.Code != http.StatusOK || strings.Contains(ready.Body.String(), "the last reload failed") != failed {
			t.Errorf("failed %v: %d %s", failed, ready.Code, ready.Body)
		}
	}
}
