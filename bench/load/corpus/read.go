package corpus

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"millstream/netio/mta"
	"millstream/protocol"
)

// What a corpus may have, in bytes.
const (
	MaxMail  = 64 << 20 // one message
	MaxTotal = 1 << 30  // all of them
)

// Read reads mails: those of all files in a directory and below it in the order of
// their names, or those of one file. A file is one message; an mbox file, which
// begins with "From ", has several. Files whose names begin with a dot are passed by.
//
// The sender of a mail is that of its Return-Path, or of From. Its recipients are
// those of To and Cc, or else of Delivered-To, or recipient@example.com. What
// envelope has goes before.
//
// The error says which file is wrong with what: it cannot be read, it is no mail, it
// is beyond [MaxMail] or all are beyond [MaxTotal], or there is none at all.
func Read(path string, envelope Envelope) ([]*mta.Mail, error) {
	r := reader{envelope: envelope, maxMail: MaxMail, left: MaxTotal, maxTotal: MaxTotal}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("no corpus: %w", err)
	}
	add := r.file
	if info.IsDir() {
		add = r.dir
	}
	if err := add(path); err != nil {
		return nil, err
	}
	if len(r.mails) == 0 {
		return nil, fmt.Errorf("no mails in %s: give a message file, such as one.eml, an mbox file, or a directory of them", path)
	}
	return r.mails, nil
}

// A reader gathers mails.
type reader struct {
	envelope          Envelope
	maxMail, maxTotal int64
	left              int64 // of maxTotal
	mails             []*mta.Mail
}

// dir reads the files of a directory and of those in it.
func (r *reader) dir(path string) error {
	return fs.WalkDir(os.DirFS(path), ".", func(name string, d fs.DirEntry, err error) error {
		file := filepath.Join(path, name)
		if err != nil {
			return fmt.Errorf("no corpus in %s: %w", file, err)
		}
		if d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return nil
		}
		info, err := os.Stat(file) // of what a link leads to
		if err != nil {
			return fmt.Errorf("no mail: %w", err)
		}
		if !info.Mode().IsRegular() {
			return nil
		}
		return r.file(file)
	})
}

// file reads the mails of one file.
func (r *reader) file(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("no mail: %w", err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, r.left+1))
	if err != nil {
		return fmt.Errorf("no mail from %s: %w", path, err)
	}
	if r.left -= int64(len(text)); r.left < 0 {
		return fmt.Errorf("the corpus is larger than %s with %s: leave some of it out", formatSize(r.maxTotal), path)
	}
	if !bytes.HasPrefix(text, []byte(separator)) {
		return r.add(path, text)
	}
	n := 0
	for message := range splitMbox(text) {
		n++
		if err := r.add(fmt.Sprintf("%s, message %d", path, n), message); err != nil {
			return err
		}
	}
	return nil
}

// add adds a mail.
func (r *reader) add(name string, message []byte) error {
	if int64(len(message)) > r.maxMail {
		return fmt.Errorf("%s: the message has %d bytes, and %s is the limit: leave it out", name, len(message), formatSize(r.maxMail))
	}
	m := mta.NewMail("", nil, message)
	if len(m.Headers) == 0 {
		return fmt.Errorf("%s is no mail, as it does not begin with a header field such as \"Subject: hello\": leave it out", name)
	}
	for i, h := range m.Headers { // copies, so that the text of the message is not kept twice
		m.Headers[i] = protocol.Header{Name: h.Name.Clone(), Value: bytes.ReplaceAll(h.Value, []byte{0}, nil)}
	}
	envelopeOf(m)
	r.envelope.apply(m)
	r.mails = append(r.mails, m)
	return nil
}
