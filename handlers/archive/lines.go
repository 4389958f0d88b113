package archive

import (
	"bytes"
	"fmt"

	"millstream/handlers"
)

// appendLines appends p to dst with LF for each CRLF. cr says that the piece before p
// ended in a CR that is not in dst yet, and whether p does.
func appendLines(dst, p []byte, cr bool) (lines []byte, endsInCR bool) {
	for len(p) > 0 {
		if cr && p[0] != '\n' {
			dst = append(dst, '\r')
		}
		i := bytes.IndexByte(p, '\r')
		if i < 0 {
			return append(dst, p...), false
		}
		dst, p, cr = append(dst, p[:i]...), p[i+1:], true
	}
	return dst, cr
}

// appendField appends a header field. exact says that the value has all that followed
// the colon; else the MTA has left out a space.
func appendField(dst, name, value []byte, exact bool) []byte {
	dst = append(append(dst, name...), ':')
	if !exact && len(value) > 0 && bytes.IndexByte([]byte("\t\r\n"), value[0]) < 0 {
		dst = append(dst, ' ')
	}
	dst, cr := appendLines(dst, value, false)
	if cr {
		dst = append(dst, '\r')
	}
	return append(dst, '\n')
}

// envelope returns the lines that a copy begins with.
func envelope(r *handlers.Result) []byte {
	var b bytes.Buffer
	if r.From != "" {
		fmt.Fprintf(&b, "X-Envelope-From: %s\n", printable(r.From))
	}
	for _, rcpt := range r.Recipients {
		fmt.Fprintf(&b, "X-Envelope-To: %s\n", printable(rcpt))
	}
	return b.Bytes()
}

// printable returns an address without what could end a line.
func printable(addr string) []byte {
	clean := []byte(addr)
	for i, c := range clean {
		if c < ' ' || c == 0x7f {
			clean[i] = '?'
		}
	}
	return clean
}

// truncated is the last line of the envelope where copies may be cut.
const truncated, truncatedNo, truncatedYes = "X-Archive-Truncated: ", "no \n", "yes\n"
