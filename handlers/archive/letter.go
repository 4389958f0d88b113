package archive

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

const (
	spillAt   = 64 << 10 // bytes of a letter that are kept in memory
	maxHeader = 1 << 20  // bytes of a header, which is kept in memory
)

// fate is what has become of a letter.
type fate uint8

const (
	gathering fate = iota
	cut            // at its limit: no more is taken
	whole          // in tmp, to be delivered
	dropped        // there is to be no copy
)

// letter is the copy of a message under way. The functions of a session use it in turn,
// so it needs no lock.
type letter struct {
	dir   *maildir
	limit int64 // of bytes without the envelope; 0 is none
	cuts  bool  // it may be cut
	fate  fate

	buf        []byte // not written yet
	written    int64  // without the envelope
	inBody     bool
	cr         bool // the body so far ends in a CR that is not in buf
	overHeader bool
	overLimit  bool

	result *handlers.Result // with the envelope, until the file is begun
	file   *os.File         // open in tmp; nil before and after
	path   string           // in tmp; "" if there is nothing
	mark   int64            // where it says whether it was cut
	target string           // where to deliver it to
}

// addHeader adds a header field. exact is that of appendField.
func (l *letter) addHeader(name, value protocol.View, exact bool) {
	switch {
	case l.overHeader:
	case len(l.buf)+len(name)+len(value) > maxHeader:
		l.overHeader = true
	default:
		l.buf = appendField(l.buf, name, value, exact)
	}
}

// addBody adds a piece of the body. last says that there are no others.
func (l *letter) addBody(piece []byte, last bool) {
	if l.fate != gathering {
		return
	}
	if !l.inBody {
		l.inBody = true
		l.buf = append(l.buf, '\n')
	}
	l.buf, l.cr = appendLines(l.buf, piece, l.cr)
	if last && l.cr {
		l.buf, l.cr = append(l.buf, '\r'), false
	}
	if room := l.limit - l.written; l.limit > 0 && int64(len(l.buf)) > room {
		l.overLimit = true
		l.buf = l.buf[:room]
	}
}

// spill writes what is in memory.
func (l *letter) spill() error {
	if l.file == nil {
		if err := l.begin(); err != nil {
			return err
		}
	}
	n, err := l.file.Write(l.buf)
	l.written += int64(n)
	if cap(l.buf) > 4*spillAt { // of a long header
		l.buf = nil
	}
	l.buf = l.buf[:0]
	return err
}

// begin makes the file and writes the envelope.
func (l *letter) begin() (err error) {
	if l.file, err = l.dir.create(); err != nil {
		return err
	}
	l.path = l.file.Name()
	lines := envelope(l.result)
	l.result = nil
	if l.cuts {
		l.mark = int64(len(lines) + len(truncated))
		lines = append(lines, truncated+truncatedNo...)
	}
	_, err = l.file.Write(lines)
	return err
}

// finish writes the rest, and has all ready to be delivered.
func (l *letter) finish() error {
	if err := l.spill(); err != nil {
		return err
	}
	if l.fate == cut {
		if _, err := l.file.WriteAt([]byte(truncatedYes), l.mark); err != nil {
			return err
		}
	}
	if l.dir.sync {
		if err := l.file.Sync(); err != nil {
			return err
		}
	}
	err := l.file.Close() // some file systems tell only now that they are full
	l.file = nil
	if err != nil {
		return err
	}
	l.target, err = l.dir.folder(time.Now())
	if err == nil {
		l.fate = whole
	}
	return err
}

// deliver makes a letter that is whole one of the maildir.
func (l *letter) deliver() error {
	l.fate = dropped // there is nothing more to do, also if it fails
	return l.dir.deliver(l.path, l.target)
}

// drop removes what there is of the letter, if anything.
func (l *letter) drop() (err error) {
	l.fate, l.buf = dropped, nil
	if l.file != nil {
		err = l.file.Close()
		l.file = nil
	}
	if l.path == "" {
		return err
	}
	if gone := os.Remove(l.path); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	l.path = ""
	return err
}
