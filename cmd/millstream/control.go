package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"millstream/cmd/internal/config"
	"millstream/netio"
)

// controlHelp tells of the control socket.
const controlHelp = `The control socket, --control, is for who runs the server: millstream trace shows
there what is said in sessions, the content of mail included, and millstream reload
has the configuration read again. It is a Unix socket of mode 0600. Unless told
otherwise it is control.sock in $RUNTIME_DIRECTORY, as systemd sets it, else in
$XDG_RUNTIME_DIR/millstream, else, for root, in /run/millstream. A directory that has
to be made for it has mode 0700 and is removed again: MTAs cannot reach a milter
socket in there.`

const (
	controlDir     = "millstream"
	controlName    = "control.sock"
	maxControlText = 64 << 10 // bytes of an error that is told
)

// controlPaths returns where a control socket may be if nobody says otherwise: the
// first is where a server opens it.
func controlPaths() (paths []string) {
	if dir, _, _ := strings.Cut(os.Getenv("RUNTIME_DIRECTORY"), ":"); dir != "" {
		paths = append(paths, filepath.Join(dir, controlName))
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		paths = append(paths, filepath.Join(dir, controlDir, controlName))
	}
	return append(paths, filepath.Join("/run", controlDir, controlName))
}

// defaultControl returns where a server of this user opens its control socket; "" is
// nowhere.
func defaultControl() string {
	if paths := controlPaths(); len(paths) > 1 || os.Geteuid() == 0 {
		return paths[0]
	}
	return ""
}

// control is the control socket of a server.
type control struct {
	net.Listener        // nil if there is none
	made         string // the directory that was made for it; else ""
}

// openControl opens a control socket; "" is none. One that may be anywhere is where it
// is by default, and a server that cannot open it goes without.
func openControl(path string, log *slog.Logger) (*control, error) {
	given := path != config.ControlAuto
	if !given {
		path = defaultControl()
	}
	if path == "" {
		return new(control), nil
	}
	c, err := listenControl(path)
	switch {
	case err == nil:
		return c, nil
	case given:
		return nil, fmt.Errorf("control socket: %w", err)
	}
	log.Warn("no control socket: it cannot be opened, see --control", "path", path, "err", err)
	return new(control), nil
}

func listenControl(path string) (*control, error) {
	c := &control{}
	if dir := filepath.Dir(path); path[0] != '@' {
		err := os.Mkdir(dir, 0o700)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		if err == nil {
			c.made = dir
		}
	}
	var err error
	if c.Listener, err = netio.ListenUnix(path, 0o600); err != nil {
		c.tidy()
		return nil, err
	}
	return c, nil
}

// tidy removes the directory that was made, unless something else is in it by now.
func (c *control) tidy() {
	if c.made != "" {
		_ = os.Remove(c.made)
	}
}

// String returns where the control socket is.
func (c *control) String() string {
	if c.Listener == nil {
		return "none"
	}
	return c.Addr().String()
}

// serve serves requests, and returns what ends that. Each of routes adds its own.
func (c *control) serve(log *slog.Logger, routes ...func(*http.ServeMux)) (stop func()) {
	if c.Listener == nil {
		return func() {}
	}
	mux := http.NewServeMux()
	for _, add := range routes {
		add(mux)
	}
	end := servePages(c.Listener, "control socket", mux, log)
	return func() {
		end()
		c.tidy()
	}
}

// controlRequest sends a request to the server whose control socket is at a path, or
// where it is by default if path is "". target is the path and query of the request.
// A request that the server finds wrong is a usageError, and one that it cannot fulfil a
// controlError. The caller closes the body.
func controlRequest(ctx context.Context, path, method, target string) (*http.Response, error) {
	paths := []string{path}
	if path == "" {
		paths = controlPaths()
	}
	conn, err := dialControl(ctx, paths)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return conn, nil },
	}}
	r, err := http.NewRequestWithContext(ctx, method, "http://control"+target, http.NoBody)
	if err != nil {
		conn.Close()
		return nil, err
	}
	answer, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode == http.StatusOK {
		return answer, nil
	}
	defer func() { _ = answer.Body.Close() }()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, maxControlText)) // what there is of it
	err = controlError(strings.TrimSpace(string(text)))
	if answer.StatusCode == http.StatusBadRequest {
		err = usageError{err}
	}
	return nil, err
}

// controlError is what a server says that does not do what it is asked for.
type controlError string

// Error says who says it.
func (e controlError) Error() string { return "the server says: " + string(e) }

// dialControl connects to the first control socket that a server listens at.
func dialControl(ctx context.Context, paths []string) (net.Conn, error) {
	var denied error
	for _, path := range paths {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
		switch {
		case err == nil:
			return conn, nil
		case errors.Is(err, fs.ErrPermission):
			denied = fmt.Errorf("control socket %s: permission denied: it is for the user of the server, and root", path)
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ECONNREFUSED):
			return nil, fmt.Errorf("control socket: %w", err)
		}
	}
	if denied != nil {
		return nil, denied
	}
	return nil, fmt.Errorf("no server listens at %s: start one with serve, or name its socket with --control", strings.Join(paths, ", "))
}
