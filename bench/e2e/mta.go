package e2e

import (
	"bytes"
	"embed"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"text/template"
)

// A program is a mail server that tests can run.
type program struct {
	name string

	// missing says why the program cannot run here; "" if it can.
	missing func() string

	// start runs an instance that ends with the test. It asks the milter at the
	// given address, and passes mail on to a port of the loopback interface.
	start func(tb testing.TB, milter net.Addr, sink string) *mta
}

// An mta is a running instance of a mail server.
type mta struct {
	name string
	addr string // takes SMTP
	dir  string // of this instance
	log  func() string

	// held says which file holds a quarantined message, by its queue id.
	held func(id string) string
}

// queued finds the queue id in the reply to a message.
var queued = regexp.MustCompile(`(?:queued as |^2\.0\.0 )(\w+)(?: Message|$)`)

// queueID returns the queue id of the message that was answered with r, or "".
func queueID(r reply) string {
	if id := queued.FindStringSubmatch(r.text); id != nil {
		return id[1]
	}
	return ""
}

// quarantined reports whether the message that was answered with r is held.
func (m *mta) quarantined(r reply) bool {
	_, err := os.Stat(m.held(queueID(r)))
	return err == nil
}

// connect opens an SMTP session and greets.
func (m *mta) connect(tb testing.TB) *client {
	tb.Helper()
	c, greeting := dial(tb, m.addr, "127.0.0.1")
	if !greeting.ok() {
		tb.Fatal(greeting)
	}
	if hello := c.hello(""); !hello.ok() {
		tb.Fatal(hello)
	}
	return c
}

// deliver sends a message that the mail server must take.
func (m *mta) deliver(tb testing.TB, letter mail) reply {
	tb.Helper()
	c := m.connect(tb)
	defer c.quit()
	got := c.send(letter)
	if got.to != "message" || !got.ok() {
		tb.Fatalf("refused: %v", got)
	}
	return got
}

// up waits until the mail server takes mail.
func (m *mta) up(tb testing.TB) {
	tb.Helper()
	ready := false
	tb.Cleanup(func() {
		if !ready {
			tb.Logf("log of %s:\n%s", m.name, m.log())
		}
	})
	eventually(tb, m.name+" listens", func() bool { return listening(m.addr) })
	ready = true
}

// showLog has what the mail server logs during a test printed if it fails.
func (m *mta) showLog(tb testing.TB) {
	before := len(m.log())
	tb.Cleanup(func() {
		if tb.Failed() {
			lines := strings.Split(m.log()[before:], "\n")
			tb.Logf("log of %s:\n%s", m.name, strings.Join(lines[max(0, len(lines)-100):], "\n"))
		}
	})
}

// rootOnly says why a mail server cannot run as this user; "" if it can.
func rootOnly() string {
	if os.Getuid() != 0 {
		return "only root can run it"
	}
	return ""
}

// lacks says which of the commands is not there; "" if all are.
func lacks(commands ...string) string {
	for _, c := range commands {
		if _, err := exec.LookPath(c); err != nil {
			return c + " is not installed; see install.sh"
		}
	}
	return ""
}

// workDir returns a directory that goes with the test and that other users may
// read. For the mail of a mail server it is in memory where there is room: mail
// servers wait for the disk at every message.
func workDir(tb testing.TB) string {
	tb.Helper()
	const enough = 256 << 20
	var shm syscall.Statfs_t
	if syscall.Statfs("/dev/shm", &shm) == nil && int64(shm.Bavail)*int64(shm.Bsize) >= enough { //nolint:unconvert // a uint32 elsewhere
		return tempDir(tb, "/dev/shm")
	}
	return tempDir(tb, os.TempDir())
}

// SocketDir returns a directory for the socket of a milter that goes with the test:
// mail servers, which run as other users, can reach it, and Sendmail wants all of
// its path safe from them.
func SocketDir(tb testing.TB) string {
	tb.Helper()
	if os.Getuid() == 0 {
		return tempDir(tb, "/run")
	}
	return tempDir(tb, os.TempDir())
}

func tempDir(tb testing.TB, in string) string {
	tb.Helper()
	dir, err := os.MkdirTemp(in, "e2e-") //nolint:usetesting // it matters where
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// configurations are those of the mail servers: tests of other packages run
// elsewhere.
//
//go:embed testdata/postfix testdata/sendmail
var configurations embed.FS

// configure writes a file of testdata to a path, with values filled in. The
// template marks are [[ and ]], which no configuration uses.
func configure(tb testing.TB, from, to string, values any) {
	tb.Helper()
	src, err := configurations.ReadFile("testdata/" + from)
	if err != nil {
		tb.Fatal(err)
	}
	t, err := template.New(from).Delims("[[", "]]").Option("missingkey=error").Parse(string(src))
	if err != nil {
		tb.Fatal(err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, values); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(to, out.Bytes(), 0o644); err != nil {
		tb.Fatal(err)
	}
}
