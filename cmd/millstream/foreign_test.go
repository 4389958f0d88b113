package main

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// foreignDir has what the tests against milters of others play to them. A script is
// made with talk --record.
const foreignDir = "testdata/foreign"

// requirePrograms skips the test if a program is missing, and says what to install.
func requirePrograms(t *testing.T, hint string, programs ...string) {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("no %s; %s", name, hint)
		}
	}
}

// foreignGuard runs a milter and ends it when its standard input ends: when the test
// says so, or when the test process dies.
const foreignGuard = `
"$@" </dev/null &
read -r _
kill -TERM $!
wait $!
`

// startForeign starts a milter of others, which listens at the file socket, and ends
// it with the test.
func startForeign(t *testing.T, socket string, argv ...string) (address string) {
	t.Helper()
	cmd := exec.Command("/bin/sh", append([]string{"-c", foreignGuard, "guard"}, argv...)...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	alive, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	reached := func() bool {
		c, err := net.Dial("unix", socket)
		if err == nil {
			c.Close()
		}
		return err == nil
	}
	t.Cleanup(func() {
		_ = alive.Close()
		// libmilter looks every 5 s whether it is to end, or when somebody connects.
		waitFor(t, "it does not listen", func() bool { return !reached() })
		if err := cmd.Wait(); err != nil { // how it ends is its own affair: opendkim sometimes frees twice
			t.Logf("%s: %v", argv[0], err)
		}
		if log.Len() > 0 {
			t.Logf("%s: %s", argv[0], &log)
		}
	})
	waitFor(t, argv[0]+" listens", reached)
	return "unix:" + socket
}

// startLibmilter builds and starts the filter on libmilter.
func startLibmilter(t *testing.T) (address string) {
	t.Helper()
	const hint = "install gcc, libc6-dev and libmilter-dev"
	requirePrograms(t, hint, "gcc")
	check := exec.Command("gcc", "-E", "-x", "c", "-o", os.DevNull, "-")
	check.Stdin = strings.NewReader("#include <stdio.h>\n#include <libmilter/mfapi.h>\n")
	if check.Run() != nil {
		t.Skip("no libmilter/mfapi.h; " + hint)
	}
	dir := t.TempDir()
	program, socket := filepath.Join(dir, "filter"), filepath.Join(dir, "socket")
	build := exec.Command("gcc", "-std=gnu11", "-Wall", "-Wextra", "-o", program, filepath.Join(foreignDir, "filter.c"), "-lmilter", "-lpthread")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return startForeign(t, socket, program, "local:"+socket)
}

// TestForeignLibmilter plays scripts to the filter on libmilter.
func TestForeignLibmilter(t *testing.T) {
	socket := startLibmilter(t)
	scripts, err := filepath.Glob(filepath.Join(foreignDir, "libmilter-*.txt"))
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			r := runMillstream(t, "", "talk", "-p", socket, file)
			if r.status != 0 || strings.Contains(r.out, "!!") {
				t.Errorf("exit status %d: %s\n%s", r.status, r.errOut, r.out)
			}
		})
	}
	t.Run("differs", func(t *testing.T) {
		r := runMillstream(t, "", "talk", "-p", socket, filepath.Join(foreignDir, "differs.txt"))
		r.has(t,
			"!! expected <- reject 550 5.7.1 not for you  (", "!!      got <- reject 550 5.7.1 not for you, 100% sure\n",
			"!! expected <- accept  (", "!!      got <- add-header X-Seen: client.example/inet client.example <a@example.com>")
		if r.status != 1 || !strings.Contains(r.errOut, "1 of 1 scripts: not as expected") {
			t.Errorf("exit status %d: %s", r.status, r.errOut)
		}
	})
	t.Run("send", func(t *testing.T) {
		r := runMillstream(t, "", "send", "-p", socket, "--from", "changes@example.com", "--to", "b@example.net", "--header", "X-Deleted: a",
			"--header", "X-Deleted: b", "--body", "hello")
		r.has(t, "\n+X-Added: yes\n", "\n+X-Inserted: first\n", "\n+Subject: [changed]\n", "\n-X-Deleted: b\n", "\n+another body\n",
			"\n+MAIL FROM:<bounces@example.com> RET=HDRS\n", "\n-RCPT TO:<b@example.net>\n",
			"\n+RCPT TO:<archive@example.com>\n", "\n+RCPT TO:<copy@example.com> NOTIFY=NEVER\n", "to be looked at")
		if r.status != exitQuarantined {
			t.Errorf("exit status %d: %s", r.status, r.errOut)
		}
		r = runMillstream(t, "", "send", "-p", socket, "--quiet", "--from", "flawed@example.com")
		r.has(t, "554-5.6.0 first line", "554 5.6.0 second line")
		if r.status != exitRejected {
			t.Errorf("exit status %d: %s%s", r.status, r.out, r.errOut)
		}
	})
}

// startOpenDKIM starts OpenDKIM with a key of its own.
func startOpenDKIM(t *testing.T) (address string) {
	t.Helper()
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin")
	requirePrograms(t, "install opendkim, opendkim-tools and openssl", "opendkim", "opendkim-genkey", "openssl")
	dir := t.TempDir()
	if out, err := exec.Command("opendkim-genkey", "-D", dir, "-d", "example.org", "-s", "here", "-b", "2048").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	read := func(file string) string {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	record := "here._domainkey.example.org "
	for _, m := range regexp.MustCompile(`"([^"]*)"`).FindAllStringSubmatch(read(filepath.Join(dir, "here.txt")), -1) {
		record += m[1]
	}
	config := strings.ReplaceAll(read(filepath.Join(foreignDir, "opendkim.conf")), "DIR", dir)
	for name, text := range map[string]string{"records": record + "\n", "conf": config} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return startForeign(t, filepath.Join(dir, "socket"), "opendkim", "-f", "-x", filepath.Join(dir, "conf"))
}

// TestForeignOpenDKIM plays scripts to OpenDKIM.
func TestForeignOpenDKIM(t *testing.T) {
	socket := startOpenDKIM(t)
	others, sign := filepath.Join(foreignDir, "opendkim-others.txt"), filepath.Join(foreignDir, "opendkim-sign.txt")
	if r := runMillstream(t, "", "talk", "-p", socket, others); r.status != 0 {
		t.Errorf("exit status %d: %s\n%s", r.status, r.errOut, r.out)
	}
	r := runMillstream(t, "", "talk", "-p", socket, "--record", sign)
	got := regexp.MustCompile(`\\tt=\d+;`).ReplaceAllString(r.out, `\tt=TIME;`)
	got = regexp.MustCompile(`\\tb=[^"]{300,}"`).ReplaceAllString(got, `\tb=SIGNATURE"`)
	if want, err := os.ReadFile(sign); r.status != 0 || err != nil || got != string(want) {
		t.Errorf("exit status %d: %s, %v\n%s", r.status, r.errOut, err, got)
	}
	r = runMillstream(t, "", "talk", "-p", socket, sign)
	if r.status != 1 || strings.Count(r.out, "!! expected") != 1 {
		t.Errorf("exit status %d: %s\n%s", r.status, r.errOut, r.out)
	}
}

// TestForeignOpenDKIMSend has a mail signed by OpenDKIM, and checked as it would be
// delivered.
func TestForeignOpenDKIMSend(t *testing.T) {
	socket := startOpenDKIM(t)
	signed := filepath.Join(t.TempDir(), "signed.eml")
	report := sendForeign(t, "-p", socket, "--client-addr", "192.0.2.10:4711", "--from", "a@example.org", "--header", "From: a@example.org",
		"--body", "hello", "--out", signed)
	first := report.Delivered.Headers[0]
	if first.Name != "DKIM-Signature" || !strings.Contains(first.Value, " d=example.org; s=here;") || len(report.Changes) != 1 {
		t.Errorf("header %v, changes %v", first, report.Changes)
	}
	mail, err := os.ReadFile(signed)
	if err != nil {
		t.Fatal(err)
	}
	forged := talkFile(t, strings.Replace(string(mail), "hello", "hullo", 1))
	for file, want := range map[string]string{signed: "dkim=pass ", forged: "dkim=fail "} {
		report := sendForeign(t, "-p", socket, "--client-addr", "192.0.2.11:4711", file)
		first := report.Delivered.Headers[0]
		if first.Name != "Authentication-Results" || !strings.Contains(first.Value, want) || !strings.Contains(first.Value, "header.d=example.org") {
			t.Errorf("header %v, want one with %q", first, want)
		}
	}
}

// sendForeign sends a mail that is taken, and returns the report.
func sendForeign(t *testing.T, args ...string) (report jsonReport) {
	t.Helper()
	r := runMillstream(t, "", append([]string{"send", "--format", "json"}, args...)...)
	if r.status != 0 {
		t.Fatalf("exit status %d: %s", r.status, r.errOut)
	}
	if err := json.Unmarshal([]byte(r.out), &report); err != nil {
		t.Fatal(err)
	}
	if report.Verdict.Verdict != "taken" || report.Verdict.Stage != "end-of-message" || len(report.Delivered.Headers) == 0 {
		t.Fatalf("report\n%s", r.out)
	}
	return report
}
