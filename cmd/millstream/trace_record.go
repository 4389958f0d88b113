package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"millstream/actors"
	"millstream/protocol/script"
)

// A recorder writes sessions to files, as scripts. A nil one writes nothing.
type recorder struct {
	path     string
	dir      bool // path is a directory, and each session a file in it
	commands bool
}

// openRecorder returns the recorder of a file or a directory; "" is none.
func openRecorder(path string, commands bool) (*recorder, error) {
	if path == "" {
		return nil, nil
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return &recorder{path, true, commands}, nil
	case err == nil:
		return nil, fmt.Errorf("--output: %s is there already, and files are not overwritten", path)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("--output: %w", err)
	case os.IsPathSeparator(path[len(path)-1]):
		return nil, fmt.Errorf("--output: there is no directory %s: make it first", path)
	}
	return &recorder{path, false, commands}, nil
}

// single reports whether there is room for one session only.
func (r *recorder) single() bool { return r != nil && !r.dir }

// begin begins to record a session.
func (r *recorder) begin(e *actors.TapEvent) (*recording, error) {
	if r == nil {
		return nil, nil
	}
	path := r.path
	if r.dir {
		path = filepath.Join(path, e.Began.UTC().Format("20060102T150405.000Z")+"-"+strconv.FormatUint(e.Session, 10)+".txt")
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("--output: %w", err)
	}
	return &recording{file: f, to: bufio.NewWriter(f), path: path, commands: r.commands}, nil
}

// A recording is a session on its way into a file. A nil one does nothing.
type recording struct {
	file     *os.File
	to       *bufio.Writer
	path     string
	commands bool
	missed   int // packets
}

// line writes a line. Errors are told at the end.
func (r *recording) line(text string) { _, _ = r.to.WriteString(text + "\n") }

// miss notes that packets are missing.
func (r *recording) miss(packets int, note string) {
	if r != nil {
		r.missed += packets
		r.line(note)
	}
}

// step records an event.
func (r *recording) step(e *actors.TapEvent, step script.Step) {
	if r == nil || e.Kind == actors.TapEnd {
		return
	}
	answer, ok := step.(*script.Receive)
	switch {
	case ok && r.commands:
		return
	case ok && answer.Answer.Code != 0:
		if begin, changes := steady(&answer.Answer, step.String(), e.Session); changes {
			step = &script.Receive{Begins: begin}
		}
	}
	r.line(step.String())
}

// end ends a recording, which is whole or not, and tells where it is.
func (r *recording) end(errOut io.Writer, whole bool) error {
	if r == nil {
		return nil
	}
	what := "a session was written to " + r.path
	if r.missed > 0 {
		what += fmt.Sprintf(", but %d packets are missing", r.missed)
	}
	if !whole {
		r.line("# the session went on")
		what += ", but it went on"
	}
	if err := errors.Join(r.to.Flush(), r.file.Close()); err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	fmt.Fprintln(errOut, "millstream: "+what)
	return nil
}
