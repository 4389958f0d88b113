package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"millstream/bench/e2e"
)

// archivePolicies are what a file may say of a failure, and what becomes of a message.
var archivePolicies = []struct{ word, reply string }{
	{"", "451 4.7.1 Service unavailable, try again later"}, // the default: it comes again
	{"continue", "250"},
	{"accept", "250"},
	{"tempfail", "451 4.7.1 Service unavailable, try again later"},
	{"reject", "550 5.7.1 Message refused: a filter failed"},
	{"quarantine", "250"},
}

// archiveFile is a file with an archive for each policy, which is chosen by the sender, and
// a handler behind them. The key is on_error or on_timeout.
func archiveFile(t *testing.T, dir, key, more string) string {
	t.Helper()
	var text strings.Builder
	for i, p := range archivePolicies {
		fmt.Fprintf(&text, "[[handler]]\ntype = \"archive\"\nname = \"archive%d\"\nmaildir = %q\nwhen = 'sender == \"p%d@from.example.org\"'\n%s", i, dir, i, more)
		if p.word != "" {
			fmt.Fprintf(&text, "%s = %q\n", key, p.word)
		}
	}
	text.WriteString("[[handler]]\ntype = \"header\"\nadd = [{ name = \"X-Behind\", value = \"yes\" }]\n")
	return configFile(t, text.String())
}

// archiveLetter sends a letter for a policy.
func archiveLetter(t *testing.T, postfix *e2e.Postfix, policy, size int) *e2e.Sent {
	t.Helper()
	return postfix.SendLetter(t, e2e.Letter{
		From: fmt.Sprintf("p%d@from.example.org", policy), To: []string{"to@to.example.org"},
		Body: strings.Repeat("0123456789abcd\r\n", size/16+1),
	})
}

// archiveFails sends a letter for each policy while no copy can be made, and checks what
// becomes of it.
func archiveFails(t *testing.T, postfix *e2e.Postfix, size int) {
	t.Helper()
	for i, p := range archivePolicies {
		sent := archiveLetter(t, postfix, i, size)
		if !strings.HasPrefix(sent.Reply(), p.reply) {
			t.Errorf("%q: answered %q, want %q", p.word, sent.Reply(), p.reply)
			continue
		}
		if sent.Held() != (p.word == "quarantine") {
			t.Errorf("%q: held %v", p.word, sent.Held())
		}
		if sent.Queue == "" || sent.Held() {
			continue
		}
		_, _, message := sent.Arrived(t, 1)
		if asked := bytes.Contains(message, []byte("\r\nX-Behind: yes\r\n")); asked != (p.word == "continue") {
			t.Errorf("%q: the handler behind was asked: %v", p.word, asked)
		}
	}
}

// archiveTakes sends a letter for each policy, which all go on and have a copy.
func archiveTakes(t *testing.T, postfix *e2e.Postfix, dir string) {
	t.Helper()
	for i := range archivePolicies {
		sent := archiveLetter(t, postfix, i, 10)
		if sent.Queue == "" {
			t.Fatalf("answered %q", sent.Reply())
		}
		_, _, message := sent.Arrived(t, 1)
		_, message, _ = bytes.Cut(message, []byte("X-Token: "))
		message, _, _ = bytes.Cut(message, []byte("X-Behind: "))
		want := fmt.Sprintf("X-Envelope-From: <p%d@from.example.org>\nX-Envelope-To: <to@to.example.org>\nX-Token: %s",
			i, strings.ReplaceAll(string(message), "\r\n", "\n"))
		waitFor(t, "there is a copy", func() bool {
			return slices.ContainsFunc(archiveCopies(t, dir, "new"), func(got string) bool { return strings.HasPrefix(got, want) })
		})
	}
}

// archiveCopies returns the files of a part of a maildir.
func archiveCopies(t *testing.T, dir, part string) (copies []string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, part, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil && !os.IsNotExist(err) { // it may have been moved just now
			t.Fatal(err)
		}
		copies = append(copies, string(data))
	}
	return copies
}

// TestPostfixArchive has a real Postfix deliver mail of which copies are kept, while there
// is a maildir, while it is gone, and when it is back.
func TestPostfixArchive(t *testing.T) {
	noVariables(t)
	dir := filepath.Join(t.TempDir(), "mail")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	postfix, s := behindPostfix(t, serveFlags{file: archiveFile(t, dir, "on_error", "")}, nil)
	archiveTakes(t, postfix, dir)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	archiveFails(t, postfix, 10)
	archiveFails(t, postfix, 300_000)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	archiveTakes(t, postfix, dir)
	if log := s.stop(t); !strings.Contains(log, "make the directory, or mount what it is on") || !strings.Contains(log, "handler archive2:") {
		t.Errorf("the log does not say what to do:\n%s", log)
	}
	if left := archiveCopies(t, dir, "tmp"); len(left) > 0 {
		t.Errorf("%d files are left in tmp", len(left))
	}
}

// TestPostfixArchiveFull has the disk of the maildir full, and then read-only.
func TestPostfixArchiveFull(t *testing.T) {
	noVariables(t)
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("no small disk can be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil { // it is busy while a file is open
			t.Error(err)
		}
	})
	postfix, s := behindPostfix(t, serveFlags{file: archiveFile(t, dir, "on_error", "")}, nil)
	archiveFails(t, postfix, 400_000)
	archiveTakes(t, postfix, dir)
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	archiveFails(t, postfix, 10)
	log := s.stop(t)
	for _, want := range []string{"make room there", "let the user of the server write there"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not say %q:\n%s", want, log)
		}
	}
	if left := archiveCopies(t, dir, "tmp"); len(left) > 0 {
		t.Errorf("%d files are left in tmp", len(left))
	}
}

// TestPostfixArchiveHangs has the disk of the maildir hang: nothing that writes to it
// returns. Each message has its answer when the time of the handler is over, and the disk
// is used again when it goes on.
func TestPostfixArchiveHangs(t *testing.T) {
	noVariables(t)
	dir := t.TempDir()
	hang := archiveFrozen(t, dir)
	postfix, s := behindPostfix(t, serveFlags{file: archiveFile(t, dir, "on_timeout", "timeout = \"1s\"\n")}, nil)
	archiveTakes(t, postfix, dir)
	if err := hang(true); err != nil {
		t.Skipf("no disk can be made to hang: %v", err)
	}
	archiveFails(t, postfix, 10)
	if sent := archiveLetter(t, postfix, 3, 300_000); sent.Reply() != archivePolicies[3].reply {
		t.Errorf("answered %q", sent.Reply())
	}
	if err := hang(false); err != nil {
		t.Fatal(err)
	}
	archiveTakes(t, postfix, dir)
	waitFor(t, "what was too late is removed", func() bool { return len(archiveCopies(t, dir, "tmp")) == 0 })
	if n := len(archiveCopies(t, dir, "new")); n != 2*len(archivePolicies) {
		t.Errorf("%d copies", n)
	}
	if log := s.stop(t); !strings.Contains(log, "the maildir hangs") {
		t.Errorf("the log does not say what hangs:\n%s", log)
	}
}

// archiveFrozen mounts a disk of its own on a directory, and returns a function that
// freezes it, so that whoever writes there waits, or lets it go on.
func archiveFrozen(t *testing.T, dir string) (hang func(bool) error) {
	t.Helper()
	image := filepath.Join(t.TempDir(), "disk")
	for _, command := range [][]string{
		{"truncate", "-s", "16M", image}, {"mkfs.ext4", "-q", "-F", image}, {"mount", "-o", "loop", image, dir},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Skipf("no disk can be made: %s: %v\n%s", command[0], err, out)
		}
	}
	t.Cleanup(func() { waitFor(t, "nobody uses the disk", func() bool { return unix.Unmount(dir, 0) == nil }) })
	// What waits for a frozen disk cannot be killed: whatever becomes of the test, somebody
	// else thaws it.
	guard := exec.Command("sh", "-c", `timeout 60 cat; fsfreeze -u "$0"`, dir)
	stdin, err := guard.StdinPipe()
	if err == nil {
		err = guard.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = guard.Wait() // it fails if there is nothing to thaw
	})
	if err := os.Remove(filepath.Join(dir, "lost+found")); err != nil { // a maildir begins empty
		t.Error(err)
	}
	return func(on bool) error {
		f, err := os.Open(dir)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		request := uint(0xc0045878) // FITHAW
		if on {
			request = 0xc0045877 // FIFREEZE
		}
		return unix.IoctlSetInt(int(f.Fd()), request, 0)
	}
}
