package script

import (
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"

	"millstream/protocol"
)

// command reads the arguments of a command.
func (s *scanner) command(code protocol.Code) (protocol.Command, error) {
	switch code {
	case protocol.CodeNegotiate:
		offer, err := s.options(s.noOther)
		return &protocol.Negotiate{Offer: offer}, err
	case protocol.CodeMacro:
		return s.macro()
	case protocol.CodeConnect:
		return s.connect()
	case protocol.CodeHelo:
		name, err := s.argument("a host name")
		return &protocol.Helo{Name: name}, err
	case protocol.CodeMailFrom:
		addr, params, err := s.envelope()
		return &protocol.MailFrom{Addr: addr, Params: params}, err
	case protocol.CodeRcptTo:
		addr, params, err := s.envelope()
		return &protocol.RcptTo{Addr: addr, Params: params}, err
	case protocol.CodeUnknown:
		line, err := s.string(s.rest)
		return &protocol.Unknown{Line: protocol.View(line)}, err
	case protocol.CodeHeader:
		name, value, err := s.field()
		return &protocol.Header{Name: protocol.View(name), Value: protocol.View(value)}, err
	case protocol.CodeBody:
		chunk, err := s.rest()
		return &protocol.Body{Chunk: protocol.View(chunk)}, err
	case protocol.CodeEndOfMessage:
		if s.done() {
			return &protocol.EndOfMessage{}, nil
		}
		chunk, err := s.rest()
		return &protocol.EndOfMessage{Chunk: protocol.View(chunk)}, err
	}
	return plain(code), nil
}

// plain returns a command without arguments.
func plain(code protocol.Code) protocol.Command {
	switch code {
	case protocol.CodeData:
		return &protocol.Data{}
	case protocol.CodeEndOfHeader:
		return &protocol.EndOfHeader{}
	case protocol.CodeAbort:
		return &protocol.Abort{}
	case protocol.CodeQuit:
		return &protocol.Quit{}
	default:
		return &protocol.QuitNewConnection{}
	}
}

// argument reads a word that ends with a NUL on the wire.
func (s *scanner) argument(want string) (protocol.View, error) {
	word, err := s.string(func() (string, error) { return s.word(want) })
	return protocol.View(word), err
}

// envelope reads an address and its parameters.
func (s *scanner) envelope() (protocol.View, protocol.Params, error) {
	addr, err := s.argument("an address such as <a@example>")
	if err != nil {
		return nil, nil, err
	}
	var params []string
	for !s.done() {
		p, err := s.argument("a parameter such as SIZE=10")
		if err != nil {
			return nil, nil, err
		}
		params = append(params, p.String())
	}
	return addr, protocol.NewParams(params...), nil
}

// field reads a header field.
func (s *scanner) field() (name, value string, err error) {
	name, err = s.string(func() (string, error) { return s.key(':', "a header such as Subject: hello") })
	if err != nil {
		return "", "", err
	}
	value, err = s.string(s.rest)
	return name, value, err
}

// macro reads a command and its macros.
func (s *scanner) macro() (protocol.Command, error) {
	const want = "the command that the macros are for"
	s.done()
	start := s.pos
	word, err := s.word(want)
	if err != nil {
		return nil, err
	}
	stage := commandFor(word)
	if stage == 0 {
		b, err := hex.DecodeString(strings.TrimPrefix(word, "0x"))
		if err != nil || len(b) != 1 {
			return nil, s.fail(start, want)
		}
		stage = protocol.Code(b[0])
	}
	var pairs []string
	for !s.done() {
		name, err := s.string(func() (string, error) { return s.key('=', "a macro such as j=mx.example") })
		if err != nil {
			return nil, err
		}
		value, err := s.string(func() (string, error) { return s.value("the value of a macro") })
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, name, value)
	}
	return protocol.NewMacro(stage, pairs...), nil
}

// connect reads a host and its address.
func (s *scanner) connect() (protocol.Command, error) {
	host, err := s.argument("a host name")
	if err != nil {
		return nil, err
	}
	const want = "an address such as inet:25@192.0.2.1, inet6:25@2001:db8::1, unix:/path or unknown"
	s.done()
	start := s.pos
	text, err := s.argument(want)
	if err != nil {
		return nil, err
	}
	addr, ok := parseAddr(text.String())
	if !ok {
		return nil, s.fail(start, want)
	}
	return &protocol.Connect{Host: host, Addr: addr}, nil
}

// parseAddr reads an address as protocol.Addr writes it.
func parseAddr(text string) (protocol.Addr, bool) {
	family, rest, _ := strings.Cut(text, ":")
	if family == "unix" {
		return protocol.Addr{Family: protocol.FamilyUnix, Path: rest}, true
	}
	if text == "unknown" {
		return protocol.Addr{Family: protocol.FamilyUnknown}, true
	}
	port, ip, _ := strings.Cut(rest, "@")
	a := protocol.Addr{Family: protocol.FamilyInet}
	if family == "inet6" {
		a.Family = protocol.FamilyInet6
	} else if family != "inet" {
		return protocol.Addr{}, false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return protocol.Addr{}, false
	}
	a.Port = uint16(n)
	a.IP, err = netip.ParseAddr(ip)
	return a, err == nil && a.IP.Zone() == "" && a.IP.Is4() == (a.Family == protocol.FamilyInet)
}

// raw reads any bytes.
func (s *scanner) raw() (Raw, error) {
	r := Raw{}
	for !s.done() {
		start := s.pos
		if s.text[start] == '"' {
			text, times, err := s.repeated()
			if err != nil {
				return nil, err
			}
			r = append(r, RawPiece{text, times})
			continue
		}
		const want = "two hexadecimal digits, or a string"
		word, err := s.word(want)
		if err != nil {
			return nil, err
		}
		b, err := hex.DecodeString(word)
		if err != nil || len(b) != 1 {
			return nil, s.fail(start, want)
		}
		r = append(r, RawPiece{Text: string(b)})
	}
	return r, nil
}
