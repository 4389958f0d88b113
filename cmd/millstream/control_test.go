package main

import (
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"millstream/cmd/internal/config"
)

// TestControlPaths has the variables that tell where a control socket is.
func TestControlPaths(t *testing.T) {
	const last = "/run/millstream/control.sock"
	tests := []struct {
		runtime, xdg string
		want         []string
	}{
		{"", "", []string{last}},
		{"/run/filter:/run/more", "", []string{"/run/filter/control.sock", last}},
		{"", "/run/user/7", []string{"/run/user/7/millstream/control.sock", last}},
		{"/run/filter", "/run/user/7", []string{"/run/filter/control.sock", "/run/user/7/millstream/control.sock", last}},
	}
	for _, tt := range tests {
		t.Setenv("RUNTIME_DIRECTORY", tt.runtime)
		t.Setenv("XDG_RUNTIME_DIR", tt.xdg)
		got := controlPaths()
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q, %q: %v", tt.runtime, tt.xdg, got)
		}
		server := tt.want[0]
		if server == last && os.Geteuid() != 0 {
			server = ""
		}
		if got := defaultControl(); got != server {
			t.Errorf("%q, %q: a server opens %q", tt.runtime, tt.xdg, got)
		}
	}
}

// TestControlSocket opens a control socket over each thing that may be in its place: as
// the one that was asked for, and as the default.
func TestControlSocket(t *testing.T) {
	tests := []struct {
		name   string
		before func(t *testing.T, path string)
		err    string // "" if it is to be opened
	}{
		{"no directory", func(t *testing.T, path string) {
			if err := os.Remove(filepath.Dir(path)); err != nil {
				t.Fatal(err)
			}
		}, ""},
		{"nothing", func(*testing.T, string) {}, ""},
		{"a stale socket", func(t *testing.T, path string) {
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
			if err != nil {
				t.Fatal(err)
			}
			l.SetUnlinkOnClose(false)
			l.Close()
		}, ""},
		{"another server", func(t *testing.T, path string) {
			l, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
		}, "in use by another server"},
		{"a file", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte("mail"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "not a socket"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			runtime := t.TempDir()
			t.Setenv("RUNTIME_DIRECTORY", "")
			t.Setenv("XDG_RUNTIME_DIR", runtime)
			dir := filepath.Join(runtime, controlDir)
			path := filepath.Join(dir, controlName)
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			tt.before(t, path)
			var text strings.Builder
			log := slog.New(slog.NewTextHandler(&text, nil))
			c, err := openControl(config.ControlAuto, log)
			if err != nil {
				t.Fatalf("the default is an error: %v", err)
			}
			if tt.err != "" {
				if c.Listener != nil || !strings.Contains(text.String(), tt.err) {
					t.Errorf("%v, log %s", c, &text)
				}
				if _, err := openControl(path, log); err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("given: %v", err)
				}
				if _, err := os.Lstat(path); err != nil {
					t.Errorf("what was there is gone: %v", err)
				}
				return
			}
			checkMode(t, path, fs.ModeSocket|0o600)
			checkMode(t, dir, fs.ModeDir|0o700)
			c.serve(log)()
			if _, err := os.Lstat(path); err == nil {
				t.Error("the socket is left")
			}
			if _, err := os.Lstat(dir); (err != nil) != (tt.name == "no directory") {
				t.Errorf("the directory after the end: %v", err)
			}
		})
	}
}

func checkMode(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != want {
		t.Errorf("%s has the mode %v, want %v", path, info.Mode(), want)
	}
}

// TestControlRequest has requests that come to nothing.
func TestControlRequest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	ask := func(target string) error {
		answer, err := controlRequest(t.Context(), path, http.MethodGet, target)
		if err == nil {
			answer.Body.Close()
		}
		return err
	}
	if err := ask("/"); err == nil || !strings.Contains(err.Error(), "no server listens at "+path) {
		t.Errorf("without a server: %v", err)
	}
	c, err := openControl(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer c.serve(slog.New(slog.DiscardHandler), func(mux *http.ServeMux) {
		mux.HandleFunc("GET /bad", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "so not", http.StatusBadRequest) })
		mux.HandleFunc("GET /busy", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "too busy", http.StatusServiceUnavailable) })
	})()
	for _, tt := range []struct {
		target, text string
		status       int
	}{{"/bad", "so not", 2}, {"/busy", "too busy", 1}, {"/nonsense", "not found", 1}} {
		if err := ask(tt.target); err == nil || !strings.Contains(err.Error(), tt.text) || exitCode(err) != tt.status {
			t.Errorf("%s: %v", tt.target, err)
		}
	}
}
