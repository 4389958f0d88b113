package netio

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"millstream/actors"
	"millstream/handlers"
	"millstream/netio/mta"
	"millstream/protocol"
)

// accepting is a filter that takes everything.
var accepting = handlers.On(func(*handlers.Session, *handlers.Message) handlers.Reply { return handlers.Accept })

// TestUnixSocket opens a Unix socket over each thing that may be in its place.
func TestUnixSocket(t *testing.T) {
	tests := []struct {
		name   string
		before func(t *testing.T, path string)
		err    string // "" if it is to be opened
	}{
		{"nothing", func(*testing.T, string) {}, ""},
		{"stale socket", stale, ""},
		{"socket in use", inUse, "in use by another server"},
		{"file", func(t *testing.T, path string) { mustDo(t, os.WriteFile(path, []byte("mail"), 0o600)) }, "not a socket"},
		{"directory", func(t *testing.T, path string) { mustDo(t, os.MkdirAll(path+"/deep", 0o700)) }, "not a socket"},
		{"link to a file", func(t *testing.T, path string) {
			mustDo(t, os.WriteFile(path+".file", nil, 0o600))
			mustDo(t, os.Symlink(path+".file", path))
		}, "not a socket"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s")
			tt.before(t, path)
			before, _ := os.Lstat(path)
			l, err := open(&Config{}, Socket{Addr: "unix:" + path, UnixMode: 0o620})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("err = %v, want one with %q", err, tt.err)
				}
				if after, err := os.Lstat(path); err != nil || !os.SameFile(before, after) {
					t.Errorf("what was there is gone: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if info, err := os.Lstat(path); err != nil || info.Mode() != fs.ModeSocket|0o620 {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
			mustDo(t, l.Close())
			if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the socket is left: %v", err)
			}
		})
	}
}

// TestListenUnix opens a socket for something else than MTAs.
func TestListenUnix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	stale(t, path)
	l, err := ListenUnix(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := ListenUnix(path, 0o600); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("in use: %v", err)
	}
	mustDo(t, l.Close())
	mustDo(t, os.WriteFile(path, nil, 0o600))
	if _, err := ListenUnix(path, 0o600); err == nil {
		t.Error("a file is replaced")
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("what was there is gone: %v", err)
	}
}

// TestListenNowhere says what to do about a directory that is missing.
func TestListenNowhere(t *testing.T) {
	_, err := ListenUnix(filepath.Join(t.TempDir(), "none", "s"), 0o600)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "make the directory") {
		t.Errorf("%v", err)
	}
}

// stale leaves a socket that nobody listens on.
func stale(t *testing.T, path string) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	mustDo(t, err)
	l.SetUnlinkOnClose(false)
	mustDo(t, l.Close())
}

// inUse leaves a socket that somebody listens on.
func inUse(t *testing.T, path string) {
	l, err := net.Listen("unix", path)
	mustDo(t, err)
	t.Cleanup(func() { _ = l.Close() })
}

func mustDo(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestCloseKeepsOthers checks that a server removes its own socket only.
func TestCloseKeepsOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := open(&Config{}, Socket{Addr: path, UnixMode: 0o660})
	mustDo(t, err)
	mustDo(t, os.Remove(path))
	mustDo(t, os.WriteFile(path, []byte("mail"), 0o600))
	mustDo(t, l.Close())
	if b, err := os.ReadFile(path); err != nil || string(b) != "mail" {
		t.Errorf("file of another: %q, %v", b, err)
	}
}

// TestInheritedSocket serves a socket that was opened by somebody else.
func TestInheritedSocket(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	mustDo(t, err)
	defer ln.Close()
	f, err := ln.(*net.TCPListener).File()
	mustDo(t, err)
	fd, err := syscall.Dup(int(f.Fd())) // the server closes it
	mustDo(t, err)
	mustDo(t, f.Close())
	l, err := open(&Config{}, Socket{Addr: "fd:" + strconv.Itoa(fd)})
	mustDo(t, err)
	defer l.Close()
	if l.Addr().String() != ln.Addr().String() {
		t.Errorf("listens on %v, want %v", l.Addr(), ln.Addr())
	}
}

// TestListenErrors checks that a mistake in the configuration is named.
func TestListenErrors(t *testing.T) {
	tests := []struct {
		name string
		cfg  Config
		f    handlers.Factory
		is   error
		text string
	}{
		{"no address", Config{}, handlers.Shared(accepting), protocol.ErrInvalidArgument, "Config.Listen"},
		{"no factory", Config{Listen: []string{"inet:0@127.0.0.1"}}, nil, handlers.ErrNull, "factory"},
		{"negative loops", Config{Listen: []string{"inet:0@127.0.0.1"}, Loops: -1}, handlers.Shared(accepting), protocol.ErrInvalidArgument, "Config.Loops"},
		{"mode", Config{Listen: []string{"inet:0@127.0.0.1"}, UnixMode: fs.ModeSetuid}, handlers.Shared(accepting), protocol.ErrInvalidArgument, "Config.UnixMode"},
		{"bad address", Config{Listen: []string{"inet:99999@127.0.0.1"}}, handlers.Shared(accepting), nil, "99999"},
		{"group", Config{Listen: []string{filepath.Join(t.TempDir(), "s")}, UnixGroup: "no-such-group"}, handlers.Shared(accepting), nil, "no-such-group"},
		{"closed descriptor", Config{Listen: []string{"fd:987"}}, handlers.Shared(accepting), nil, "fd:987"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Listen(tt.cfg, tt.f)
			if err == nil {
				_ = s.Shutdown(t.Context())
				t.Fatal("no error")
			}
			if tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("err = %v, want %v with %q", err, tt.is, tt.text)
			}
		})
	}
}

// TestListenLeavesNothing checks that what was opened before an error is closed.
func TestListenLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	_, err := Listen(Config{Listen: []string{path, "fd:987"}}, handlers.Shared(accepting))
	if err == nil {
		t.Fatal("no error")
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
}

// TestBacklog checks how many connections wait for a server that does not serve yet.
func TestBacklog(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere the system's default stays")
	}
	const backlog, want = 5, 6 // Linux takes one more than it was told
	name := filepath.Join(t.TempDir(), "s")
	s, err := Listen(Config{Listen: []string{name}, Backlog: backlog}, handlers.Shared(accepting))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { mustDo(t, s.Shutdown(t.Context())) }()
	for n := range want + 1 {
		c, err := net.Dial("unix", name)
		if (err == nil) != (n < want) {
			t.Errorf("connection %d: error %v", n, err)
		}
		if err == nil {
			defer c.Close()
		}
	}
}

// TestUnixGroup gives a socket to a group, by its number and by its name.
func TestUnixGroup(t *testing.T) {
	gid := strconv.Itoa(os.Getgid())
	group, err := user.LookupGroupId(gid)
	mustDo(t, err)
	for _, name := range []string{gid, group.Name} {
		path := filepath.Join(t.TempDir(), "s")
		l, err := open(&Config{}, Socket{Addr: path, UnixMode: 0o660, UnixGroup: name})
		mustDo(t, err)
		info, err := os.Lstat(path)
		mustDo(t, err)
		if got := strconv.Itoa(int(info.Sys().(*syscall.Stat_t).Gid)); got != gid {
			t.Errorf("group %s, want %s", got, gid)
		}
		mustDo(t, l.Close())
	}
}

// TestReusePort opens one address twice.
func TestReusePort(t *testing.T) {
	first, err := open(&Config{ReusePort: true}, Socket{Addr: "inet:0@127.0.0.1"})
	mustDo(t, err)
	defer func() { mustDo(t, first.Close()) }()
	if second, err := open(&Config{}, Socket{Addr: MilterAddr(first.Addr())}); err == nil {
		_ = second.Close()
		t.Error("opened twice without ReusePort")
	}
	second, err := open(&Config{ReusePort: true}, Socket{Addr: MilterAddr(first.Addr())})
	mustDo(t, err)
	mustDo(t, second.Close())
	if got, want := PostfixAddr(first.Addr()), "inet:"+first.Addr().String(); got != want {
		t.Errorf("for main.cf: %s, want %s", got, want)
	}
}

// TestSockets opens addresses with a mode and a limit of their own.
func TestSockets(t *testing.T) {
	shared, own := tempSocket(t), tempSocket(t)
	s, _ := serve(t, Config{
		Listen: []string{shared}, UnixMode: 0o640, CloseWhenFull: true,
		Sockets: []Socket{{Addr: own, UnixMode: 0o600, MaxSessions: 1}},
	}, handlers.Shared(everything()))
	if addrs := s.Addrs(); len(addrs) != 2 || MilterAddr(addrs[1]) != own {
		t.Fatalf("addresses %v", addrs)
	}
	for path, want := range map[string]os.FileMode{shared[5:]: 0o640, own[5:]: 0o600} {
		if info, err := os.Lstat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	connect := func(spec string) *mta.Conn {
		c, err := mta.Dial(t.Context(), spec)
		mustDo(t, err)
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	first := connect(own)
	_, _, err := first.Negotiate(offer)
	mustDo(t, err)
	if _, _, err := connect(own).Negotiate(offer); err == nil {
		t.Error("a second session, over the limit of the socket")
	}
	if n, m := s.system.Hits(actors.LimitSessions), s.system.Refused(actors.RefusedSessions); n != 1 || m != 1 {
		t.Errorf("%d times the limit was hit, %d were refused", n, m)
	}
	for range 2 { // the limit is that of the one socket
		_, _, err := connect(shared).Negotiate(offer)
		mustDo(t, err)
	}
	mustDo(t, first.Close())
	eventually(t, "there is room again", func() bool {
		c, err := mta.Dial(t.Context(), own)
		mustDo(t, err)
		defer c.Close()
		_, _, err = c.Negotiate(offer)
		return err == nil
	})
}
