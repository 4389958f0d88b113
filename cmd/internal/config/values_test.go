package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"millstream/actors"
	"millstream/handlers/policy"
	"millstream/protocol"
)

// TestExpand replaces variables.
func TestExpand(t *testing.T) {
	env := options().Env
	for text, want := range map[string]string{
		"": "", "a": "a", "${PORT}": "8890", "a${PORT}b${PORT}": "a8890b8890", "$${PORT}": "${PORT}", "$$$${": "$${",
		"^a$": "^a$", "$a": "$a", "a$$b": "a$b", "${EMPTY}": "", "${EMPTY:-x}": "x", "${NONE:-}": "", "${NONE:-a:-b}": "a:-b",
	} {
		if got, err := expand(text, env); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
		if got, err := expand(escapeVariables(text), env); err != nil || got != text {
			t.Errorf("%q does not come back: %q, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"${NONE}": "no variable NONE", "${": "not closed", "a${PORT": "not closed", "${}": "followed by the name",
		"${1A}": "followed by the name", "${A B}": "followed by the name", "${${PORT}}": "followed by the name",
	} {
		if got, err := expand(text, env); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q, %v, want %s", text, got, err, want)
		}
	}
}

// TestSecret prints a secret in every way there is.
func TestSecret(t *testing.T) {
	s := struct{ Password Secret }{"geheim"}
	inJSON, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "s", s.Password, "t", s)
	for _, text := range []string{
		string(inJSON), log.String(), s.Password.String(), fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %q %x %d", s, s, s, s, s, s),
	} {
		if strings.Contains(text, "geheim") || strings.Contains(text, fmt.Sprintf("%x", "geheim")) || !strings.Contains(text, masked) {
			t.Errorf("%s", text)
		}
	}
	if s.Password.Reveal() != "geheim" || Secret("").String() != "" {
		t.Error("a secret is not what it was set to")
	}
}

// TestSecretFile reads secrets from files.
func TestSecretFile(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"windows": "geheim\r\n", "empty": "\n", "long": strings.Repeat("x", maxSecret+1)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, mode := range map[string]os.FileMode{"good": 0o644, "shared": 0o602} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("geheim\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	from := filepath.Join(dir, "millstream.toml")
	for text, want := range map[string]string{"plain": "plain", "file:good": "geheim", "file:windows": "geheim", "file:" + dir + "/good": "geheim"} {
		if got, err := secret(text, from); err != nil || got != want {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"file:empty": "is empty", "file:long": "at most", "file:.": "at most", "file:none": "no such file",
		"file:shared": "can be written by everybody: chmod 0400 " + dir + "/shared",
	} {
		if got, err := secret(text, from); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
}

// TestSize reads and writes sizes.
func TestSize(t *testing.T) {
	for text, want := range map[string]Size{"0B": 0, "1000B": 1000, "64KiB": 64 << 10, "1536 KiB": 1536 << 10, "8MiB": 8 << 20, "2GiB": 2 << 30} {
		var s, again Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%s is %d, %v", text, s, err)
		}
		if err := again.UnmarshalText([]byte(s.String())); err != nil || again != s {
			t.Errorf("%v is %d, %v", s, again, err)
		}
	}
	for _, text := range []string{"", "1", "KiB", "-1KiB", "1kB", "1.5MiB", "9223372036854775807GiB"} {
		if err := new(Size).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

// TestServer checks that what is off in the file is off in the server, and that a server
// without a file is one with the defaults of its own.
func TestServer(t *testing.T) {
	off := parseWith(t, `
[[listener]]
socket = "unix:/run/m.sock"
mode = "0600"
group = "mail"
max_sessions = 3
[limits]
workers = 0
idle = "0s"
negotiate = "0s"
write = "0s"
handler = "0s"
progress = "0s"
slow_handler = "0s"
linger = "0s"
grace = "0s"
packet_buffer = "0B"
result_headers = 0
result_header_bytes = "0B"
failure = "accept"
[otel]
trace_addresses = "hashed"
trace_slow = "0s"
`).Server()
	s := &off.Sessions
	for i, d := range []time.Duration{
		off.Grace, s.Timeout, s.NegotiateTimeout, s.WriteTimeout, s.HandlerTimeout, s.AutoProgress, s.SlowInline, s.Linger, s.TraceSlow,
	} {
		if d >= 0 {
			t.Errorf("time %d is %v", i, d)
		}
	}
	for i, n := range []int{s.MaxWorkers, s.PacketBuffer, s.MaxResultHeaders, s.MaxResultHeaderBytes} {
		if n >= 0 {
			t.Errorf("number %d is %v", i, n)
		}
	}
	if l := off.Sockets[0]; l.Addr != "unix:/run/m.sock" || l.UnixMode != 0o600 || l.UnixGroup != "mail" || l.MaxSessions != 3 {
		t.Errorf("%+v", l)
	}
	if s.FailureStatus != protocol.StatusAccept || s.TraceAddresses != actors.AddressesHashed {
		t.Errorf("%v, %v", s.FailureStatus, s.TraceAddresses)
	}
	for _, word := range fieldOf(t, Limits{}, "failure").words {
		if _, ok := failures[word]; !ok {
			t.Errorf("failure %s is no status", word)
		}
	}
	for _, key := range []string{"on_error", "on_timeout"} {
		for _, word := range fieldOf(t, Handler{}, key).words {
			if _, ok := policy.Parse(word); !ok {
				t.Errorf("%s %s is no verdict", key, word)
			}
		}
	}
	for _, word := range fieldOf(t, OTel{}, "trace_addresses").words {
		if _, ok := addresses[word]; !ok {
			t.Errorf("trace_addresses %s is unknown", word)
		}
	}
}

// TestVariables checks what the table of OpenTelemetry stands for.
func TestVariables(t *testing.T) {
	byDefault := defaults().OTel
	if got := byDefault.Variables(); len(got) > 0 {
		t.Errorf("defaults are %q", got)
	}
	o := OTel{Endpoint: "http://c:4318", Protocol: "grpc", ServiceName: "hub", Sample: 0.01}
	want := "OTEL_EXPORTER_OTLP_ENDPOINT http://c:4318 OTEL_EXPORTER_OTLP_PROTOCOL grpc OTEL_SERVICE_NAME hub " +
		"OTEL_TRACES_SAMPLER parentbased_traceidratio OTEL_TRACES_SAMPLER_ARG 0.01"
	if got := strings.Join(o.Variables(), " "); got != want {
		t.Errorf("%s", got)
	}
}
