package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"millstream/netio/mta"
	"millstream/protocol"
)

const (
	formatText = "text"
	formatJSON = "json"

	// How long MTAs wait for the answer to a command, and to the end of a message.
	commandTime = 30 * time.Second
	contentTime = 5 * time.Minute

	// clientPort is the port of a client that is given without one.
	clientPort = 42025
)

// A sendPlan is what send is to do, checked.
type sendPlan struct {
	socket  string
	dialect mta.Dialect
	offer   protocol.Options
	client  mta.Client
	mail    *mta.Mail
	macros  macroSource
	timeout time.Duration // 0 for that of MTAs
	crlf    bool          // lines of the file end in CRLF
	notes   []string      // what is odd about the file
}

// plan checks the flags and reads the message.
func (f *sendFlags) plan(in io.Reader) (*sendPlan, error) {
	p := &sendPlan{socket: f.socket, timeout: f.timeout}
	for _, check := range []func(*sendPlan) error{f.checkWords, f.planOffer, f.planClient} {
		if err := check(p); err != nil {
			return nil, usageError{err}
		}
	}
	if err := f.planMail(p, in); err != nil {
		return nil, usageError{err}
	}
	if err := f.planMacros(p); err != nil {
		return nil, usageError{err}
	}
	return p, nil
}

// checkWords checks the flags of which there are only a few values.
func (f *sendFlags) checkWords(p *sendPlan) error {
	var known bool
	p.dialect, known = mta.ParseDialect(f.mta)
	switch {
	case !known:
		return fmt.Errorf("--mta %q is neither postfix nor sendmail", f.mta)
	case f.format != formatText && f.format != formatJSON:
		return fmt.Errorf("--format %q is neither text nor json", f.format)
	case f.quiet && f.format == formatJSON:
		return errors.New("--quiet and --format json exclude each other")
	case f.timeout < 0:
		return fmt.Errorf("--timeout %v is negative; write a time such as 30s", f.timeout)
	case f.file != "" && (f.subject != "" || f.body != "" || len(f.headers) > 0):
		return errors.New("--subject, --header and --body are for a message without a FILE")
	}
	return nil
}

// planClient plans the SMTP client.
func (f *sendFlags) planClient(p *sendPlan) error {
	name := f.clientName
	addr := protocol.Addr{Family: protocol.FamilyInet, IP: netip.AddrFrom4([4]byte{192, 0, 2, 25}), Port: clientPort}
	if f.clientAddr != "" {
		var err error
		if addr, err = parseClientAddr(f.clientAddr); err != nil {
			return err
		}
	}
	switch {
	case name != "":
	case f.clientAddr == "":
		name = "mail.example.org"
	case addr.IP.IsValid():
		name = "[" + addr.IP.String() + "]" // as if the MTA had found no name
	default:
		name = "localhost"
	}
	helo := f.helo
	if helo == "" {
		helo = name
	}
	for _, f := range [...]struct{ flag, value string }{
		{"--client-name", name}, {"--client-addr", addr.Path}, {"--helo", helo},
	} {
		if strings.ContainsAny(f.value, "\x00\r\n") {
			return fmt.Errorf("%s %q has a NUL or a line end in it", f.flag, f.value)
		}
	}
	p.client.Connect = protocol.Connect{Host: protocol.View(name), Addr: addr}
	p.client.Helo.Name = protocol.View(helo)
	return nil
}

// parseClientAddr parses the address of an SMTP client.
func parseClientAddr(s string) (protocol.Addr, error) {
	if s == "unknown" {
		return protocol.Addr{Family: protocol.FamilyUnknown}, nil
	}
	if path, ok := strings.CutPrefix(s, "unix:"); ok || strings.HasPrefix(s, "/") {
		return protocol.Addr{Family: protocol.FamilyUnix, Path: path}, nil
	}
	ap, err := netip.ParseAddrPort(s)
	if err != nil {
		ip, err := netip.ParseAddr(strings.Trim(s, "[]"))
		if err != nil {
			return protocol.Addr{}, fmt.Errorf(
				"--client-addr %q is no address; write 192.0.2.1:25, [2001:db8::1]:25, unix:/path or unknown", s)
		}
		ap = netip.AddrPortFrom(ip, clientPort)
	}
	a := protocol.Addr{Family: protocol.FamilyInet6, IP: ap.Addr().Unmap().WithZone(""), Port: ap.Port()}
	if a.IP.Is4() {
		a.Family = protocol.FamilyInet
	}
	return a, nil
}
