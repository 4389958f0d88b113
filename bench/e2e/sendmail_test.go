package e2e

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sendmail is the mail server Sendmail, as install.sh unpacks it. It runs in
// namespaces of its own: see namespace.sh in its testdata.
var sendmail = program{
	name: "sendmail",
	missing: func() string {
		if why := rootOnly(); why != "" {
			return why
		}
		if why := lacks("m4", "unshare"); why != "" {
			return why
		}
		if _, err := os.Stat(filepath.Join(sendmailTree(), "complete")); err != nil {
			return "sendmail is not unpacked; see install.sh"
		}
		if err := exec.Command("unshare", "--uts", "--mount", "true").Run(); err != nil {
			return "no namespaces here"
		}
		return ""
	},
	start: startSendmail,
}

// sendmailTree is where install.sh unpacks Sendmail.
func sendmailTree() string {
	cache, _ := os.UserCacheDir()
	return filepath.Join(cache, "millstream-e2e", "sendmail")
}

// startSendmail runs a Sendmail of its own.
func startSendmail(tb testing.TB, milter net.Addr, sink string) *mta {
	tb.Helper()
	dir, port, tree := workDir(tb), freePort(tb), sendmailTree()
	if err := os.Mkdir(filepath.Join(dir, "queue"), 0o700); err != nil {
		tb.Fatal(err)
	}
	values := map[string]string{"Dir": dir, "Port": port, "Sink": sink, "Milter": sendmailNotation(milter)}
	for _, f := range []string{"e2e.mc", "hosts", "nsswitch.conf", "service.switch"} {
		configure(tb, "sendmail/"+f, filepath.Join(dir, f), values)
	}
	buildCF(tb, tree, dir)
	log := listenLog(tb, filepath.Join(dir, "syslog"))
	m := &mta{
		name: "sendmail",
		addr: net.JoinHostPort("127.0.0.1", port),
		dir:  dir,
		log:  log.String,
		held: func(id string) string { return filepath.Join(dir, "queue", "hf"+id) },
	}
	run(tb, log, append(os.Environ(), libraryPath(tree)),
		"unshare", "--uts", "--mount", "/bin/sh", "testdata/sendmail/namespace.sh", dir,
		filepath.Join(tree, "usr/libexec/sendmail/sendmail"), "-C", filepath.Join(dir, "sendmail.cf"), "-bD")
	m.up(tb)
	return m
}

// buildCF makes sendmail.cf of e2e.mc.
func buildCF(tb testing.TB, tree, dir string) {
	tb.Helper()
	cf := filepath.Join(tree, "usr/share/sendmail/cf") + "/"
	cmd := exec.Command("m4", "-D_CF_DIR_="+cf, cf+"m4/cf.m4", filepath.Join(dir, "e2e.mc"))
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		tb.Fatalf("m4: %v\n%s", err, errs.String())
	}
	if err := os.WriteFile(filepath.Join(dir, "sendmail.cf"), out, 0o644); err != nil {
		tb.Fatal(err)
	}
}

// libraryPath is the environment in which the unpacked libraries are found.
func libraryPath(tree string) string {
	dirs, _ := filepath.Glob(filepath.Join(tree, "usr/lib/*-linux-gnu*"))
	more, _ := filepath.Glob(filepath.Join(tree, "lib/*-linux-gnu*"))
	return "LD_LIBRARY_PATH=" + strings.Join(append(dirs, more...), ":")
}

// sendmailNotation writes the address of a milter as Sendmail wants it.
func sendmailNotation(a net.Addr) string {
	if tcp, ok := a.(*net.TCPAddr); ok {
		_, port, _ := net.SplitHostPort(tcp.String())
		return "inet:" + port + "@" + tcp.IP.String()
	}
	return "unix:" + a.String()
}
