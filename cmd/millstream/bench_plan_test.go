package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"millstream/bench/load"
	"millstream/netio/mta"
	"millstream/protocol"
)

// configOf returns what flags set up.
func configOf(t *testing.T, args ...string) (load.Config, error) {
	t.Helper()
	run := fakeRun{result: someResult(1, time.Millisecond, 0)}
	_, err := run.bench(t, args...)
	return run.config, err
}

// TestBenchDefaults checks what is done without any flags.
func TestBenchDefaults(t *testing.T) {
	c, err := configOf(t)
	if err != nil {
		t.Fatal(err)
	}
	if c.Address != defaultSocket || c.Connections != 10 || c.Rate != nil || c.Duration != 10*time.Second ||
		c.WarmUp != time.Second || c.Messages != 0 || c.Reuse != 0 || c.Dialect != mta.Postfix ||
		c.Offer != offerOf(6) || c.Chaos != (load.Chaos{}) || c.Timeout != 30*time.Second || c.PID != 0 {
		t.Errorf("%+v", c)
	}
	if len(c.Mails) != 1 || len(c.Mails[0].Headers) != 12 || len(c.Mails[0].Body) != 4096 || len(c.Mails[0].To) != 1 {
		t.Errorf("%d mails, the first of %d headers", len(c.Mails), len(c.Mails[0].Headers))
	}
	if c.Client.Connect.Host.String() != "mail.example.org" || c.Client.Macros["j"] == "" {
		t.Errorf("client %+v", c.Client)
	}
	if _, ok := c.Client.Macros["mail_addr"]; ok {
		t.Error("the client has a macro that belongs to each mail")
	}
}

// TestBenchConfig checks what flags set up.
func TestBenchConfig(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.eml": "From: a@b\nTo: c@d\n\nx\n", "pid": fmt.Sprintf("%d\nmore\n", os.Getpid())} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		args string
		ok   func(c *load.Config) bool
	}{
		{"-p unix:/run/x --connections 7 --idle 9 --workers 2 --seed 3", func(c *load.Config) bool {
			return c.Address == "unix:/run/x" && c.Connections == 7 && c.Idle == 9 && c.Workers == 2 && c.Seed == 3
		}},
		{"--idle 5 --connections 0", func(c *load.Config) bool {
			return c.Idle == 5 && c.Connections == 0 && c.WarmUp == 0 && c.Duration == 0
		}},
		{"--idle 5 --connections 0 --duration 1s", func(c *load.Config) bool { return c.Duration == time.Second }},
		{"--rate 5", func(c *load.Config) bool { return c.Rate.String() == "5" && c.Duration == 10*time.Second }},
		{"--rate 5/1s", func(c *load.Config) bool { return c.Rate.Length() == time.Second && c.Duration == 0 }},
		{"--rate 5/9s --duration 3s", func(c *load.Config) bool { return c.Rate.String() == "5/9s" && c.Duration == 3*time.Second }},
		{"--messages 5", func(c *load.Config) bool { return c.Messages == 5 && c.Duration == 0 }},
		{"--messages 5 --duration 1s --warmup 0", func(c *load.Config) bool {
			return c.Messages == 5 && c.Duration == time.Second && c.WarmUp == 0
		}},
		{"--churn", func(c *load.Config) bool { return c.Reuse == 1 }},
		{"--churn --reuse 1", func(c *load.Config) bool { return c.Reuse == 1 }},
		{"--reuse 5 --think 3ms --timeout 4s", func(c *load.Config) bool {
			return c.Reuse == 5 && c.Think == 3*time.Millisecond && c.Timeout == 4*time.Second
		}},
		{"--mta sendmail --protocol 2 --actions add-headers --steps -no-helo", func(c *load.Config) bool {
			return c.Dialect == mta.Sendmail && c.Offer.Version == 2 && c.Offer.Actions == protocol.ActionAddHeaders &&
				c.Offer.Steps == offerOf(2).Steps&^protocol.StepNoHelo && c.Client.Macros["daemon_name"] == "MTA"
		}},
		{"--client-addr [2001:db8::1]:25 --helo h", func(c *load.Config) bool {
			return c.Client.Connect.Addr.Port == 25 && c.Client.Helo.Name.String() == "h"
		}},
		{"--expect-header X-A --expect-header X-B", func(c *load.Config) bool { return slices.Equal(c.Expect, []string{"X-A", "X-B"}) }},
		{"--chaos abort=1%", func(c *load.Config) bool { return c.Chaos == load.Chaos{Abort: 0.01} }},
		{"--body 1k..2k --headers 3 --rcpt 2", func(c *load.Config) bool {
			return len(c.Mails) == 64 && len(c.Mails[0].To) == 2 && len(c.Mails[63].Headers) == 3 && len(c.Mails[63].Body) > 2000
		}},
		{"--from <> --to <a@b> --to c@d", func(c *load.Config) bool {
			return c.Mails[0].From.Addr.String() == "<>" && len(c.Mails[0].To) == 2 && c.Mails[0].To[1].Addr.String() == "<c@d>"
		}},
		{"--corpus " + dir + "/a.eml --to x@y", func(c *load.Config) bool {
			return len(c.Mails) == 1 && c.Mails[0].From.Addr.String() == "<a@b>" && c.Mails[0].To[0].Addr.String() == "<x@y>"
		}},
		{fmt.Sprintf("--pid %d", os.Getpid()), func(c *load.Config) bool { return c.PID == os.Getpid() }},
		{"--pid " + dir + "/pid", func(c *load.Config) bool { return c.PID == os.Getpid() }},
	}
	for _, tt := range tests {
		c, err := configOf(t, strings.Fields(tt.args)...)
		if err != nil || !tt.ok(&c) {
			c.Mails = c.Mails[:min(len(c.Mails), 1)]
			t.Errorf("%s: %v\n%+v", tt.args, err, c)
		}
	}
}

func TestBenchMistakes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("no number\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ args, text string }{
		{"x.eml", "messages are for --corpus"},
		{"-p inet:x", "inet:x"},
		{"--connections -1", "--connections -1 is too few"},
		{"--connections 0", "give --idle to only hold sessions"},
		{"--rate 5 --connections 0 --idle 1", "--rate is of no use"},
		{"--max-p99 1s --connections 0 --idle 1", "--max-p99 is of no use"},
		{"--reuse -1", "--reuse -1"},
		{"--rcpt 0", "from 1 on"},
		{"--max-errors -2", "from -1 on"},
		{"--min-rate -1", "--min-rate -1 is no rate"},
		{"--min-rate nan", "is no rate"},
		{"--duration 0", "--duration 0 is no time"},
		{"--think -1s", "--think -1s is negative"},
		{"--max-p99 0", "--max-p99 0 is no time"},
		{"--churn --reuse 5", "exclude each other"},
		{"--rate fast", `--rate: "fast" is no rate`},
		{"--rate=", `--rate: "" is no rate`},
		{"--mta exim", "neither postfix nor sendmail"},
		{"--protocol 7", "2 to 6"},
		{"--actions nothing", `"nothing" is not known`},
		{"--client-addr mx", "is no address"},
		{"--expect-header X:", "no name of a header"},
		{"--expect-header X --actions change-body", "do not offer it add-headers"},
		{"--chaos fire=1%", `"fire" is not known`},
		{"--pid 0", "there is no process 0"},
		{"--pid /dev/null/none", "no file with one"},
		{"--pid " + file, `begin with the number of a process, but with "no number"`},
		{"--body 4KB", `--body: "4KB" is no size`},
		{"--headers 99999", "99999 headers are not possible"},
		{"--corpus /dev/null/none", "--corpus: no corpus"},
		{"--corpus " + file, "is no mail"},
		{"--corpus x --body 1k", "--body is for messages without a --corpus"},
		{"--rcpt 2 --to a@b", "--rcpt and --to exclude each other"},
		{"--from <a@b", "> is missing"},
		{"--to <>", "--to is empty"},
		{"--out xml", "none of text, json, hdr and html"},
	}
	for _, tt := range tests {
		run := fakeRun{}
		got, err := run.bench(t, strings.Fields(tt.args)...)
		if got.status != 2 || err == nil || !strings.Contains(err.Error(), tt.text) || run.called {
			t.Errorf("%q: exit status %d, %v, want %q", tt.args, got.status, err, tt.text)
		}
	}
}

func TestParseChaos(t *testing.T) {
	c, err := parseChaos("abort=1%, reset = 0.5%,unknown=90%,slow-reader=0%")
	if want := (load.Chaos{Abort: 0.01, Reset: 0.005, Unknown: 0.9}); err != nil || c != want {
		t.Errorf("%+v, %v", c, err)
	}
	for text, want := range map[string]string{
		"abort": "abort= is no share", "abort=1": "such as abort=1%", "abort=101%": "from 0% to 100%", "abort=-1%": "from 0% to 100%",
		"abort=nan%": "from 0% to 100%", "abort=1%,abort=2%": "abort comes twice", "abort=60%,reset=50%": "one of them only",
		"": "", "abort=1%,": "of abort, reset, unknown, slow-reader",
	} {
		if _, err := parseChaos(text); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
