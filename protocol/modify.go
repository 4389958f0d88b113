package protocol

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
)

// AppendAddHeader appends the packet that adds a header after all others.
func AppendAddHeader(dst []byte, name, value string) ([]byte, error) {
	if err := checkHeader(CodeAddHeader, name, value); err != nil {
		return dst, err
	}
	dst, start := begin(dst, CodeAddHeader)
	dst = appendString(dst, name)
	return end(appendValue(dst, value), start), nil
}

// AppendInsertHeader inserts a header; index 0 is the top.
func AppendInsertHeader(dst []byte, index int, name, value string) ([]byte, error) {
	return appendIndexed(dst, CodeInsertHeader, index, name, value)
}

// AppendChangeHeader gives the index-th header of that name a value; the first
// has index 1. An empty value deletes the header.
func AppendChangeHeader(dst []byte, name string, index int, value string) ([]byte, error) {
	return appendIndexed(dst, CodeChangeHeader, index, name, value)
}

func appendIndexed(dst []byte, c Code, index int, name, value string) ([]byte, error) {
	if err := checkHeader(c, name, value); err != nil {
		return dst, err
	}
	if index < 0 || index > math.MaxInt32 {
		return dst, &ArgumentError{c, "index", ErrInvalidArgument}
	}
	dst, start := begin(dst, c)
	dst = binary.BigEndian.AppendUint32(dst, uint32(index))
	dst = appendString(dst, name)
	return end(appendValue(dst, value), start), nil
}

// AppendChangeFrom changes the envelope sender.
func AppendChangeFrom(dst []byte, addr string, params ...string) ([]byte, error) {
	return appendAddress(dst, CodeChangeFrom, addr, params)
}

// AppendAddRecipient adds an envelope recipient. With params it is the packet
// that needs ActionAddRecipientWithParams.
func AppendAddRecipient(dst []byte, addr string, params ...string) ([]byte, error) {
	if len(params) > 0 {
		return appendAddress(dst, CodeAddRecipientParams, addr, params)
	}
	return appendAddress(dst, CodeAddRecipient, addr, nil)
}

// AppendDeleteRecipient deletes an envelope recipient.
func AppendDeleteRecipient(dst []byte, addr string) ([]byte, error) {
	return appendAddress(dst, CodeDeleteRecipient, addr, nil)
}

// appendAddress appends an address, and its ESMTP parameters as one string.
func appendAddress(dst []byte, c Code, addr string, params []string) ([]byte, error) {
	if err := checkLine(c, "address", addr); err != nil {
		return dst, err
	}
	for _, p := range params {
		if err := checkLine(c, "params", p); err != nil {
			return dst, err
		}
	}
	dst, start := begin(dst, c)
	dst = appendString(dst, addr)
	for i, p := range params {
		if i > 0 {
			dst[len(dst)-1] = ' '
		}
		dst = appendString(dst, p)
	}
	return end(dst, start), nil
}

// AppendReplaceBody appends a piece of the new body, in as many packets as it
// takes; one for an empty body.
func AppendReplaceBody(dst []byte, body []byte) []byte {
	packets := len(body)/MaxBodyChunk + 1
	dst = slices.Grow(dst, len(body)+packets*HeaderSize)
	for {
		n := min(len(body), MaxBodyChunk)
		var start int
		dst, start = begin(dst, CodeReplaceBody)
		dst = end(append(dst, body[:n]...), start)
		if body = body[n:]; len(body) == 0 {
			return dst
		}
	}
}

// AppendQuarantine holds the message for a reason.
func AppendQuarantine(dst []byte, reason string) ([]byte, error) {
	if err := checkLine(CodeQuarantine, "reason", reason); err != nil {
		return dst, err
	}
	dst, start := begin(dst, CodeQuarantine)
	return end(appendString(dst, reason), start), nil
}

// AppendProgress asks the MTA to wait on.
func AppendProgress(dst []byte) []byte { return appendEmpty(dst, CodeProgress) }

// AppendShutdown appends the packet 421. No session sends it.
func AppendShutdown(dst []byte) []byte { return appendEmpty(dst, CodeShutdown) }

// AppendConnectionFailure appends the packet of a failed connection. No session
// sends it.
func AppendConnectionFailure(dst []byte) []byte { return appendEmpty(dst, CodeConnectionFailure) }

// checkLine checks what must stand on one line and not be empty.
func checkLine(c Code, arg, s string) error {
	if s == "" {
		return &ArgumentError{c, arg, ErrEmpty}
	}
	if strings.ContainsAny(s, "\x00\r\n") {
		return &ArgumentError{c, arg, ErrInvalidArgument}
	}
	return nil
}

// checkHeader checks a header field: a name of printable ASCII without a colon,
// and a value that cannot begin another field.
func checkHeader(c Code, name, value string) error {
	if name == "" {
		return &ArgumentError{c, "name", ErrEmpty}
	}
	for i := range len(name) {
		if b := name[i]; b < '!' || b > '~' || b == ':' {
			return &ArgumentError{c, "name", ErrInvalidArgument}
		}
	}
	for i := range len(value) {
		switch value[i] {
		case 0:
			return &ArgumentError{c, "value", ErrInvalidArgument}
		case '\r':
			if i+1 == len(value) || value[i+1] != '\n' {
				return &ArgumentError{c, "value", ErrInvalidArgument}
			}
		case '\n':
			if i+1 == len(value) || value[i+1] != ' ' && value[i+1] != '\t' {
				return &ArgumentError{c, "value", ErrInvalidArgument}
			}
		}
	}
	return nil
}

// appendValue appends a checked header value with its lines separated by LF.
func appendValue(dst []byte, value string) []byte {
	for {
		line, rest, found := strings.Cut(value, "\r\n")
		dst = append(dst, line...)
		if !found {
			return append(dst, 0)
		}
		dst = append(dst, '\n')
		value = rest
	}
}
