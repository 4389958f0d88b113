package protocol

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Limits of an SMTP reply. A line stays within the 998 bytes of RFC 5322 when the
// codes stand before it.
const (
	maxReplyLines = 32
	maxReplyLine  = 980
)

// An SMTPReply is the text an MTA gives its client in place of its own.
// It is made by [NewSMTPReply] and does not change.
type SMTPReply struct {
	code     int
	enhanced string
	lines    []string
	wire     string // as the MTA reads it, with "%" doubled and the NUL
}

// NewSMTPReply returns a reply of the given code, 400 to 599. enhanced is an
// enhanced status code of the same class, such as "5.7.1" (RFC 3463), or empty.
// Lines are plain text; a line feed in one begins another. "%" needs no care.
//
// Without an enhanced code, one that means "other" is added if a line begins with
// a digit, as Postfix would take that for the beginning of another code.
//
// The error is ErrInvalidCode for code and enhanced, and ErrInvalidArgument for
// more than 32 lines, more than 980 bytes in a line, or a control byte.
func NewSMTPReply(code int, enhanced string, lines ...string) (*SMTPReply, error) {
	if code < 400 || code > 599 {
		return nil, fmt.Errorf("%w: %d", ErrInvalidCode, code)
	}
	if enhanced != "" && !isEnhanced(enhanced, code/100) {
		return nil, fmt.Errorf("%w: %q with %d", ErrInvalidCode, enhanced, code)
	}
	text, err := splitLines(lines)
	if err != nil {
		return nil, err
	}
	if enhanced == "" && slices.ContainsFunc(text, beginsWithDigit) {
		enhanced = strconv.Itoa(code/100) + ".0.0"
	}
	r := &SMTPReply{code: code, enhanced: enhanced, lines: text}
	// MTAs read the text as a printf format.
	r.wire = strings.ReplaceAll(r.String(), "%", "%%") + "\x00"
	return r, nil
}

// FormatReply returns the text of a reply as an SMTP client sees it, its lines
// separated by CRLF. Arguments and errors are those of [NewSMTPReply].
func FormatReply(code int, enhanced string, lines ...string) (string, error) {
	r, err := NewSMTPReply(code, enhanced, lines...)
	if err != nil {
		return "", err
	}
	return r.String(), nil
}

// Code returns the three-digit code.
func (r *SMTPReply) Code() int { return r.code }

// Enhanced returns the enhanced status code, or "".
func (r *SMTPReply) Enhanced() string { return r.enhanced }

// Lines returns the text, a line an element.
func (r *SMTPReply) Lines() []string { return slices.Clone(r.lines) }

// Suits reports whether r can be the text of s: of Reject if its code is 5xx, of
// TempFail if it is 4xx.
func (r *SMTPReply) Suits(s Status) bool {
	return s == StatusReject && r.code >= 500 || s == StatusTempFail && r.code < 500
}

// String returns what FormatReply returns.
func (r *SMTPReply) String() string {
	code := strconv.Itoa(r.code)
	if len(r.lines) == 0 {
		return code + " " + r.enhanced
	}
	var b strings.Builder
	for i, line := range r.lines {
		b.WriteString(code)
		if i < len(r.lines)-1 {
			b.WriteByte('-')
		} else {
			b.WriteByte(' ')
		}
		if r.enhanced != "" {
			b.WriteString(r.enhanced + " ")
		}
		b.WriteString(line)
		if i < len(r.lines)-1 {
			b.WriteString("\r\n")
		}
	}
	return b.String()
}

// isEnhanced reports whether s is an enhanced status code of a class.
func isEnhanced(s string, class int) bool {
	parts := strings.Split(s, ".")
	if len(parts) != 3 || parts[0] != strconv.Itoa(class) {
		return false
	}
	for _, p := range parts[1:] {
		if len(p) < 1 || len(p) > 3 || strings.Trim(p, "0123456789") != "" {
			return false
		}
	}
	return true
}

// splitLines returns the lines of a text; none if it is empty. A line end at its
// very end begins no other line.
func splitLines(lines []string) ([]string, error) {
	var split []string
	for i, s := range lines {
		s = strings.ReplaceAll(s, "\r\n", "\n")
		if i == len(lines)-1 {
			s = strings.TrimSuffix(s, "\n")
		}
		split = append(split, strings.Split(s, "\n")...)
	}
	if len(split) == 1 && split[0] == "" {
		return nil, nil
	}
	if len(split) > maxReplyLines {
		return nil, fmt.Errorf("%w: %d lines of text, more than %d", ErrInvalidArgument, len(split), maxReplyLines)
	}
	for _, line := range split {
		if len(line) > maxReplyLine {
			return nil, fmt.Errorf("%w: line of %d bytes, more than %d", ErrInvalidArgument, len(line), maxReplyLine)
		}
		if strings.ContainsFunc(line, isControl) {
			return nil, fmt.Errorf("%w: control byte in %q", ErrInvalidArgument, line)
		}
	}
	return split, nil
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

func beginsWithDigit(s string) bool { return s != "" && '0' <= s[0] && s[0] <= '9' }
