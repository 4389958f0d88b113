package archive

import (
	"errors"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// A disk that is full fails the messages that do not fit, leaves nothing of them, and
// takes those that do.
func TestFull(t *testing.T) {
	dir := smallDisk(t)
	box := newBox(t, dir, nil)
	s := handlertest.New(t, box.handler)
	for range 3 {
		fails(t, s, 400_000, syscall.ENOSPC, "make room there")
		box.has(t)
	}
	s.Send(letterTo("x\r\n", "<b@y.example>"))
	box.has(t, copyOf("x\r\n"))
}

// A maildir that may not be written to fails messages, and is not taken by New.
func TestReadOnly(t *testing.T) {
	dir := smallDisk(t)
	box := newBox(t, dir, nil)
	s := handlertest.New(t, box.handler)
	begin(s, 0)
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if out := s.EndOfMessage(); out.Status != protocol.StatusTempFail || len(s.Failures()) != 1 {
		t.Errorf("answered %v", out.Status)
	}
	fails(t, s, 10, syscall.EROFS, "let the user of the server write there")
	settings := Defaults()
	settings.Maildir = dir
	if _, err := New(settings, nil); !errors.Is(err, syscall.EROFS) {
		t.Errorf("New: %v", err)
	}
}

// smallDisk returns a directory with a disk of its own, of 256 KiB.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("no small disk can be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil { // it is busy while a file is open
			t.Error(err)
		}
	})
	return dir
}
