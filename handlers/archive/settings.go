package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/mail"
	"path/filepath"
	"strconv"

	"millstream/handlers"
)

// Settings say where copies go. At least one of Maildir and BCC is needed.
type Settings struct {
	Maildir      string `toml:"maildir,omitempty" doc:"Maildir for the copies: a directory that is there, from / on."`
	Folder       string `toml:"folder" enum:"none,year,month,day" doc:"Folder within the maildir, by the date."`
	FileMode     string `toml:"file_mode" doc:"Access mode of copies, in octal."`
	DirMode      string `toml:"dir_mode" doc:"Access mode of directories that are made, in octal."`
	Sync         bool   `toml:"sync" doc:"Wait until a copy is on the disk before the message is answered."`
	MaxSize      int64  `toml:"max_size" min:"0" doc:"Bytes of the largest message that is copied whole. 0 is no limit."`
	TooLarge     string `toml:"too_large" enum:"skip,truncate,fail" doc:"What becomes of larger ones: no copy, the first bytes, or a failure."`
	ExactHeaders bool   `toml:"exact_headers" doc:"Ask the MTA for headers with the space after the colon, for all handlers."`
	BCC          string `toml:"bcc,omitempty" doc:"Address that each message is sent to as well."`
}

// Defaults returns settings without a maildir and a recipient.
func Defaults() *Settings {
	return &Settings{Folder: "none", FileMode: "0600", DirMode: "0700", TooLarge: tooLargeSkip}
}

// The words of Settings.TooLarge.
const (
	tooLargeSkip     = "skip"
	tooLargeTruncate = "truncate"
	tooLargeFail     = "fail"
)

// folders has the layout of each word of Settings.Folder, as that of a time.
var folders = map[string]string{"none": "", "year": ".2006", "month": ".2006.01", "day": ".2006.01.02"}

// Check tells wrong what cannot be: the key, such as "maildir", and what is wrong and how
// to mend it. It does not look at the disk.
func (s *Settings) Check(wrong func(key, text string)) {
	if s.Maildir == "" && s.BCC == "" {
		wrong("maildir", "there is no place for copies: write maildir or bcc")
	}
	if s.Maildir != "" && !filepath.IsAbs(s.Maildir) {
		wrong("maildir", fmt.Sprintf("%q has no place: write the path from / on", s.Maildir))
	}
	if s.ExactHeaders && s.Maildir == "" {
		wrong("exact_headers", "headers are for copies in a maildir: leave it out, or write maildir")
	}
	if _, err := parseMode(s.FileMode, 0o200); err != nil {
		wrong("file_mode", err.Error())
	}
	if _, err := parseMode(s.DirMode, 0o700); err != nil {
		wrong("dir_mode", err.Error())
	}
	if s.BCC != "" {
		if a, err := mail.ParseAddress(s.BCC); err != nil || a.Address != s.BCC {
			wrong("bcc", fmt.Sprintf("%q is no address: write it without brackets and name, such as archive@example.com", s.BCC))
		}
	}
}

// parseMode returns an access mode that has at least the bits of need.
func parseMode(text string, need fs.FileMode) (fs.FileMode, error) {
	mode, err := strconv.ParseUint(text, 8, 32)
	switch m := fs.FileMode(mode); {
	case err != nil || m&^fs.ModePerm != 0:
		return 0, fmt.Errorf("%q is no access mode: write it in octal, such as 0640", text)
	case m&need != need:
		return 0, fmt.Errorf("with %s the server itself has no access: add %04o", text, uint32(need))
	}
	return fs.FileMode(mode), nil
}

// New returns the filter. log takes what is not an error of a message: copies that were
// left out or cut by their size, and what is wrong with the order of handlers; nil means
// slog.Default. The error has what Check tells, and what is wrong with the maildir; nothing is
// made there.
func New(s *Settings, log *slog.Logger) (handlers.Handler, error) {
	var mistakes []error
	s.Check(func(key, text string) { mistakes = append(mistakes, fmt.Errorf("%s: %s", key, text)) })
	layout, known := folders[s.Folder]
	if !known {
		mistakes = append(mistakes, fmt.Errorf("folder: %q is none: write none, year, month or day", s.Folder))
	}
	switch s.TooLarge {
	case tooLargeSkip, tooLargeTruncate, tooLargeFail:
	default:
		mistakes = append(mistakes, fmt.Errorf("too_large: %q is nothing that can be done: write skip, truncate or fail", s.TooLarge))
	}
	if s.MaxSize < 0 {
		mistakes = append(mistakes, fmt.Errorf("max_size: %d is less than nothing: write a number of bytes, or 0 for no limit", s.MaxSize))
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	f := &filter{log: log, maxSize: s.MaxSize, tooLarge: s.TooLarge}
	if log == nil {
		f.log = slog.Default()
	}
	if s.BCC != "" {
		f.bcc = "<" + s.BCC + ">"
	}
	if s.Maildir == "" {
		return handlers.On(f.addRecipient), nil
	}
	f.dir = newMaildir(s, layout)
	if err := f.dir.check(); err != nil {
		return nil, fmt.Errorf("maildir: %w", err)
	}
	return f.handler(s.ExactHeaders), nil
}
