package archive

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers/handlertest"
)

// What is wrong with settings is told by its key, and how to mend it.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		name string
		set  func(*Settings)
		want []string
	}{
		{"maildir", func(s *Settings) { s.Maildir = dir }, nil},
		{"recipient", func(s *Settings) { s.BCC = "a@x.example" }, nil},
		{"nothing", func(*Settings) {}, []string{"maildir: there is no place for copies"}},
		{"path", func(s *Settings) { s.Maildir = "mail" }, []string{`maildir: "mail" has no place`}},
		{"modes", func(s *Settings) { s.BCC, s.FileMode, s.DirMode = "a@x.example", "rw", "0640" }, []string{
			`file_mode: "rw" is no access mode`, "dir_mode: with 0640 the server itself has no access: add 0700",
		}},
		{"mode", func(s *Settings) { s.BCC, s.FileMode, s.DirMode = "a@x.example", "0444", "4755" }, []string{
			"file_mode: with 0444 the server itself has no access: add 0200", `dir_mode: "4755" is no access mode`,
		}},
		{"brackets", func(s *Settings) { s.BCC = "<a@x.example>" }, []string{`bcc: "<a@x.example>" is no address`}},
		{"name", func(s *Settings) { s.BCC = "Archive <a@x.example>" }, []string{"bcc: "}},
		{"line", func(s *Settings) { s.BCC = "a@x.example\r\nX" }, []string{"bcc: "}},
		{"headers", func(s *Settings) { s.BCC, s.ExactHeaders = "a@x.example", true }, []string{"exact_headers: headers are for copies"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Defaults()
			tt.set(s)
			handlertest.Wrong(t, s.Check, tt.want...)
			if _, err := New(s, nil); (err == nil) != (len(tt.want) == 0) {
				t.Errorf("New: %v", err)
			}
		})
	}
}

// What Check leaves to tags, and what the disk has, New refuses; it makes nothing.
func TestNewRefuses(t *testing.T) {
	dir := t.TempDir()
	taken := filepath.Join(dir, "taken")
	for _, d := range []string{taken, filepath.Join(taken, "tmp")} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(taken, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, set := range map[string]func(*Settings){
		`folder: "week" is none: write none, year`:     func(s *Settings) { s.Folder = "week" },
		`too_large: "drop" is nothing that can be`:     func(s *Settings) { s.TooLarge = "drop" },
		"max_size: -1 is less than nothing":            func(s *Settings) { s.MaxSize = -1 },
		"no such file or directory: make it, and give": func(s *Settings) { s.Maildir = filepath.Join(dir, "gone") },
		"not a directory: make the directory":          func(s *Settings) { s.Maildir = file },
		`is no maildir, it has "file": name an empty`:  func(s *Settings) { s.Maildir = taken },
	} {
		s := Defaults()
		s.Maildir = dir
		set(s)
		if _, err := New(s, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("there is %v, %v", entries, err)
	}
}

// Folders go by the date at the end of the message, and modes by the settings, whatever
// the umask.
func TestFolders(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	for parts, word := range []string{"none", "year", "month", "day"} {
		path, folder := t.TempDir(), ""
		synctest.Test(t, func(t *testing.T) {
			year, month, day := time.Now().Date()
			for _, part := range []int{year, int(month), day}[:parts] {
				folder += fmt.Sprintf(".%02d", part)
			}
			box := newBox(t, path, func(s *Settings) { s.Folder, s.FileMode, s.DirMode = word, "0640", "0750" })
			s := handlertest.New(t, box.handler)
			s.Send(letterTo("x\r\n", "<b@y.example>"))
			if folder == "" {
				box.has(t, copyOf("x\r\n"))
			} else {
				box.has(t)
			}
			if got := box.files(t, filepath.Join(folder, "new")); len(got) != 1 || got[0] != copyOf("x\r\n") {
				t.Errorf("%s: in %q: %q", word, folder, got)
			}
		})
		hasModes(t, filepath.Join(path, folder), folder != "")
	}
}

// hasModes checks the modes of what is in a folder.
func hasModes(t *testing.T, path string, marked bool) {
	t.Helper()
	var got []string
	for _, pattern := range []string{"tmp", "cur", "new", "maildirfolder", "new/*"} {
		names, err := filepath.Glob(filepath.Join(path, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%s %04o", pattern, info.Mode().Perm()))
		}
	}
	want := []string{"tmp 0750", "cur 0750", "new 0750", "new/* 0640"}
	if marked {
		want = slices.Insert(want, 3, "maildirfolder 0640")
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: modes %v, want %v", path, got, want)
	}
}
