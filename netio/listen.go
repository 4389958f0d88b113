package netio

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// listener is an open address of the server.
type listener struct {
	net.Listener
	spec string      // as configured
	room slots       // for its own connections
	path string      // of a Unix socket of our own; else ""
	file fs.FileInfo // of that socket
}

// open opens an address.
func open(cfg *Config, socket Socket) (*listener, error) {
	spec := socket.Addr
	network, address, err := ParseAddr(spec)
	if err != nil {
		return nil, err
	}
	l := &listener{spec: spec, room: newSlots(socket.MaxSessions)}
	switch network {
	case "fd":
		l.Listener, err = inherit(address)
	case "unix":
		err = l.openUnix(&socket, address)
	default:
		lc := net.ListenConfig{Control: controlSocket(cfg)}
		l.Listener, err = lc.Listen(context.Background(), network, address)
	}
	if err == nil {
		err = setBacklog(l.Listener, cfg.Backlog)
	}
	if err != nil {
		if l.Listener != nil {
			_ = l.Close()
		}
		return nil, fmt.Errorf("listen on %s: %w", spec, err)
	}
	return l, nil
}

// inherit returns the listener of an open file descriptor.
func inherit(number string) (net.Listener, error) {
	fd, err := strconv.Atoi(number)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "fd:"+number)
	if f == nil {
		return nil, fmt.Errorf("file descriptor %d is not open", fd)
	}
	l, err := net.FileListener(f) // it has a copy
	return l, errors.Join(err, f.Close())
}

// ListenUnix listens on a Unix socket for something else than MTAs, with the same care:
// a stale socket is replaced, one in use or anything else in its place is an error, and
// Close removes the socket. A path in "@" is an abstract name, which has no mode.
func ListenUnix(path string, mode fs.FileMode) (net.Listener, error) {
	l := &listener{spec: "unix:" + path}
	if err := l.openUnix(&Socket{UnixMode: mode}, path); err != nil {
		if l.Listener != nil {
			_ = l.Close()
		}
		return nil, err
	}
	return l, nil
}

// openUnix opens a Unix socket in the place of a stale one.
func (l *listener) openUnix(socket *Socket, path string) error {
	if err := removeStale(path); err != nil {
		return err
	}
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: make the directory, with leave for the MTA to enter it", err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: the user of the server must be able to write to the directory", err)
	case err != nil:
		return err
	}
	ln.SetUnlinkOnClose(false) // not without a look at what is there then
	l.Listener = ln
	if path[0] == '@' { // an abstract name has no file
		return nil
	}
	l.path = path
	if err := os.Chmod(path, socket.UnixMode); err != nil {
		return err
	}
	if socket.UnixGroup != "" {
		if err := changeGroup(path, socket.UnixGroup); err != nil {
			return err
		}
	}
	l.file, err = os.Lstat(path)
	return err
}

// removeStale removes a Unix socket that nobody listens on. It never removes
// anything else.
func removeStale(path string) error {
	if path == "" {
		return errors.New("empty path")
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s exists and is not a socket: remove it, or choose another path", path)
	}
	c, err := net.Dial("unix", path)
	if err == nil {
		_ = c.Close()
		return fmt.Errorf("%s is in use by another server: %w", path, syscall.EADDRINUSE)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}

// changeGroup gives a file to a group, named or numbered.
func changeGroup(path, group string) error {
	gid, err := strconv.Atoi(group)
	if err != nil {
		g, err := user.LookupGroup(group)
		if err != nil {
			return fmt.Errorf("group of a Unix socket: %w", err)
		}
		if gid, err = strconv.Atoi(g.Gid); err != nil {
			return err
		}
	}
	if err := os.Chown(path, -1, gid); err != nil {
		return fmt.Errorf("give the socket to group %s (the user of the server must be in it): %w", group, err)
	}
	return nil
}

// Close stops listening and removes the socket, if it is still the one that was
// opened.
func (l *listener) Close() error {
	err := l.Listener.Close()
	if l.file == nil {
		return err
	}
	if now, statErr := os.Lstat(l.path); statErr == nil && os.SameFile(now, l.file) {
		err = errors.Join(err, os.Remove(l.path))
	}
	return err
}
