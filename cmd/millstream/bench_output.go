package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"millstream/bench/load"
	"millstream/bench/load/report"
)

// The reports of bench beside text and JSON.
const (
	formatHDR  = "hdr"
	formatHTML = "html"
)

// checkOutput checks the flags that say what is printed.
func (f *benchFlags) checkOutput() error {
	if !slices.Contains([]string{formatText, formatJSON, formatHDR, formatHTML}, f.format) {
		return fmt.Errorf("--out %q is none of text, json, hdr and html; the file for the report is --output", f.format)
	}
	if !f.compare {
		return nil
	}
	for flag := range f.given {
		if !slices.Contains([]string{"compare", "out", "output"}, flag) {
			return fmt.Errorf("--compare sends nothing, so --%s is of no use with it", flag)
		}
	}
	switch {
	case f.format != formatText && f.format != formatHTML:
		return fmt.Errorf("--compare writes text or html, not %s", f.format)
	case len(f.files) < 2:
		return errors.New("--compare needs two reports or more, as bench --out json writes them: millstream bench --compare before.json after.json")
	}
	return nil
}

// compareReports sets reports side by side.
func (f *benchFlags) compareReports(out io.Writer) error {
	runs := make([]*load.Result, len(f.files))
	for i, file := range f.files {
		var err error
		if runs[i], err = readReport(file); err != nil {
			return usageError{err}
		}
	}
	to, err := openOutput(f.output, out)
	if err != nil {
		return usageError{err}
	}
	return to.write(func(w io.Writer) error {
		if f.format == formatHTML {
			return report.HTML(w, runs...)
		}
		return report.Compare(w, runs...)
	})
}

// readReport reads a report in JSON.
func readReport(name string) (*load.Result, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("no report: %w", err)
	}
	r, err := report.ReadJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("no report in %s: %w", name, err)
	}
	r.Settings = append(r.Settings, load.Setting{Name: report.NameSetting, Value: name})
	return r, nil
}

// An output is where a report goes to.
type output struct {
	w    io.Writer
	file *os.File // nil if it is no file of ours
	made bool     // there was none before
}

// openOutput opens a file for a report, which is not changed before there is one.
// Without a name, or with "-", the report goes to out.
func openOutput(name string, out io.Writer) (*output, error) {
	if name == "" || name == "-" {
		return &output{w: out}, nil
	}
	_, err := os.Stat(name)
	made := errors.Is(err, fs.ErrNotExist)
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("--output: %w", err)
	}
	return &output{w: file, file: file, made: made}, nil
}

// write writes the report, once it is whole.
func (o *output) write(report func(io.Writer) error) error {
	var text strings.Builder
	err := report(&text)
	if err == nil && o.file != nil {
		err = empty(o.file)
	}
	if err == nil {
		_, err = io.WriteString(o.w, text.String())
	}
	if o.file != nil {
		err = errors.Join(err, o.file.Close())
	}
	if err != nil {
		return fmt.Errorf("the report is not written: %w", err)
	}
	return nil
}

// empty empties a file, if it is one and not a device.
func empty(file *os.File) error {
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	return file.Truncate(0)
}

// abandon leaves the file as it was.
func (o *output) abandon() error {
	if o.file == nil {
		return nil
	}
	err := o.file.Close()
	if o.made {
		err = errors.Join(err, os.Remove(o.file.Name()))
	}
	return err
}
