package corpus

import (
	"bytes"
	"iter"
)

// separator begins the line before each message of an mbox file.
const separator = "From "

// splitMbox returns the messages of an mbox file, which begins with a separator. The
// next ones follow an empty line, as RFC 4155 has it, which does not belong to the
// message. Of lines that begin with ">From ", ">>From " and so on one ">" is taken
// away, which is how they are written: "mboxrd".
func splitMbox(text []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		_, text, _ = bytes.Cut(text, []byte("\n"))
		for len(text) > 0 {
			message, rest := nextMessage(text)
			if !yield(unquote(message)) {
				return
			}
			text = rest
		}
	}
}

// nextMessage returns the message that text begins with, and what stands behind the
// separator after it.
func nextMessage(text []byte) (message, rest []byte) {
	for at := 0; ; {
		i := bytes.Index(text[at:], []byte("\n"+separator))
		if i < 0 {
			return withoutLine(text), nil
		}
		at += i + 1
		if message := withoutLine(text[:at]); len(message) < at {
			_, rest, _ = bytes.Cut(text[at:], []byte("\n"))
			return message, rest
		}
	}
}

// withoutLine returns text without the empty line at its end, if there is one.
func withoutLine(text []byte) []byte {
	for _, empty := range []string{"\n\r\n", "\n\n"} {
		if bytes.HasSuffix(text, []byte(empty)) {
			return text[:len(text)-len(empty)+1]
		}
	}
	return text
}

// unquote takes a ">" away from each line that begins with some and "From ".
func unquote(message []byte) []byte {
	if !bytes.Contains(message, []byte(">"+separator)) {
		return message
	}
	out := make([]byte, 0, len(message))
	for line := range bytes.Lines(message) {
		if bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte(separator)) && line[0] == '>' {
			line = line[1:]
		}
		out = append(out, line...)
	}
	return out
}
