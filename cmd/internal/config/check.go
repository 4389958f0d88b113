package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"millstream/netio"
	"millstream/protocol"
)

// A checker finds what is well written and cannot be.
type checker struct {
	*decoder
	root *node
}

// at notes a mistake about a setting, unless its value, or what kind of value it is, is
// known to be wrong: then it was not taken, and what stands in its place is nobody's mistake.
func (c *checker) at(path, format string, args ...any) {
	n := c.root.find(path)
	told := func(m Mistake) bool {
		return m.At == n.at && (n.kind != kindTable || strings.HasPrefix(m.Text, "`"+path+"` is "))
	}
	if !slices.ContainsFunc(c.mistakes, told) {
		c.wrong(n.at, "`%s`: %s", path, fmt.Sprintf(format, args...))
	}
}

// check finds what cannot be.
func (c *Config) check(d *decoder) {
	k := &checker{d, c.root}
	k.listeners(c.Listeners)
	k.log(&c.Log)
	k.limits(&c.Limits)
	if c.Admin.Address != "" {
		if _, port, err := net.SplitHostPort(c.Admin.Address); err != nil || port == "" {
			k.at("admin.address", "%q is no host and port: write 127.0.0.1:8891, or \"\" for none", c.Admin.Address)
		}
	}
	if u, err := url.Parse(c.OTel.Endpoint); c.OTel.Endpoint != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		k.at("otel.endpoint", "%q is no URL of a collector: write http://127.0.0.1:4318", c.OTel.Endpoint)
	}
	k.store(&c.Store)
	k.dns(&c.DNS)
	k.control(&c.Control)
	k.handlers(c)
	k.lists(c)
	k.expressions(c)
}

func (c *checker) listeners(list []Listener) {
	seen := make(map[string]int)
	for i, l := range list {
		path := fmt.Sprintf("listener[%d].", i)
		if l.Socket == "" {
			if c.root.find(path+"socket").kind == kindText {
				c.at(path+"socket", "it is empty: write inet:8890@127.0.0.1 or unix:/path")
			}
			continue
		}
		network, address, err := parseSocket(l.Socket)
		if err != nil {
			c.at(path+"socket", "%v", err)
			continue
		}
		if network != "unix" {
			for key, given := range map[string]bool{"mode": l.Mode != 0, "group": l.Group != ""} {
				if given {
					c.at(path+key, "%s is no Unix socket: leave it out, or listen on unix:/path", l.Socket)
				}
			}
		}
		same := socketPlace(network, address)
		if first, again := seen[same]; again && !strings.HasSuffix(address, ":0") {
			c.at(path+"socket", "%s is that of listener[%d] too: remove one", l.Socket, first)
			continue
		}
		seen[same] = i
	}
}

// socketPlace returns what two listeners cannot both have.
func socketPlace(network, address string) string {
	if network == "unix" {
		address = filepath.Clean(address)
	}
	return network + " " + address
}

// SystemdPrefix begins the socket that systemd hands over under a name.
const SystemdPrefix = "systemd:"

// parseSocket is [netio.ParseAddr], for systemd:NAME too.
func parseSocket(socket string) (network, address string, err error) {
	name, ok := strings.CutPrefix(socket, SystemdPrefix)
	switch {
	case !ok:
		if network, address, err = netio.ParseAddr(socket); err != nil {
			err = errors.New(strings.TrimPrefix(err.Error(), protocol.ErrInvalidArgument.Error()+": "))
		}
	case name == "" || strings.ContainsAny(name, ": \t"):
		err = errors.New("systemd: has no name: write that of FileDescriptorName= in the socket unit, as in systemd:millstream")
	default:
		network, address = "systemd", name
	}
	return network, address, err
}

func (c *checker) log(l *Log) {
	switch {
	case l.Syslog == "" && l.SyslogSocket != "":
		c.at("log.syslog_socket", "it is for the syslog: write syslog = \"mail\" too, or leave it out")
	case l.Syslog != "" && l.Format == "journal":
		c.at("log.format", "journal is for standard error: write text or json, or leave out syslog")
	}
}

func (c *checker) control(s *Control) {
	if s.Path != "" && s.Path != ControlAuto && !filepath.IsAbs(s.Path) && s.Path[0] != '@' {
		c.at("control.path", "%q is no whole path: write /run/millstream/control.sock, or \"\" for none", s.Path)
	}
}

func (c *checker) limits(l *Limits) {
	for _, s := range []struct {
		key  string
		size Size
	}{{"packet_size", l.PacketSize}, {"pending", l.Pending}, {"outbound", l.Outbound}} {
		if s.size == 0 {
			c.at("limits."+s.key, "0B would let nothing pass: write a size such as 1MiB, or leave it out")
		}
	}
	const most = 1 << 30
	for key, size := range map[string]Size{
		"packet_size": l.PacketSize, "packet_buffer": l.PacketBuffer, "pending": l.Pending,
		"outbound": l.Outbound, "result_header_bytes": l.ResultHeaderBytes,
	} {
		if size > most {
			c.at("limits."+key, "%v is more than a session can have: write at most %v", size, Size(most))
		}
	}
}

func (c *checker) store(s *Store) {
	if s.Type == storeMemory {
		for key, given := range map[string]bool{
			"urls": len(s.URLs) > 0, "sentinel": s.Sentinel != "", "user": s.User != "", "password": s.Password != "",
		} {
			if given {
				c.at("store."+key, "it is for type = %q, but the type is %q: change one of them", storeRedis, storeMemory)
			}
		}
		return
	}
	if s.Type != storeRedis { // told already
		return
	}
	if len(s.URLs) == 0 {
		c.at("store.urls", "type = %q needs a server: write urls = [\"redis://127.0.0.1:6379/0\"]", storeRedis)
	}
	if s.Path != "" {
		c.at("store.path", "it is for type = %q, but the type is %q: change one of them", storeMemory, storeRedis)
	}
	if s.Timeout == 0 {
		c.at("store.timeout", "0 would wait for no answer: write a time such as 100ms")
	}
	wrong := false
	for i, text := range s.URLs {
		if _, err := parseStoreURL(text); err != nil {
			wrong = true
			c.at(fmt.Sprintf("store.urls[%d]", i), "%v", err)
		}
	}
	if _, err := s.redis(); err != nil && !wrong {
		c.at("store.urls", "%v", err)
	}
}

func (c *checker) dns(s *DNS) {
	if s.Timeout == 0 {
		c.at("dns.timeout", "0 would wait for no answer: write a time such as 5s")
	}
	for i, server := range s.Servers {
		_, err := netip.ParseAddr(server)
		_, withPort := netip.ParseAddrPort(server)
		if err != nil && withPort != nil {
			c.at(fmt.Sprintf("dns.servers[%d]", i), "%q is no address: write 192.0.2.1, 192.0.2.1:5353 or [2001:db8::1]:53", server)
		}
	}
}

func (c *checker) handlers(cfg *Config) {
	seen := make(map[string]int)
	for i := range cfg.Handlers {
		h, path := &cfg.Handlers[i], handlerPath(i)
		if h.Name != "" {
			if first, again := seen[h.Name]; again {
				c.at(path+".name", "handler[%d] is called %q too: give each a name of its own", first, h.Name)
			} else {
				seen[h.Name] = i
			}
			if !isName(h.Name) {
				c.at(path+".name", "%q is no name: %s", h.Name, nameRule)
			}
		}
		c.times(h, path, &cfg.Limits)
		if _, compiles := h.Settings.(Compiler); h.Settings != nil && !compiles {
			h.Settings.Check(func(key, text string) { c.at(join(path, key), "%s", text) })
		}
	}
}

// times checks the timeout of a handler: that of all would otherwise come first.
func (c *checker) times(h *Handler, path string, l *Limits) {
	switch {
	case h.Timeout == 0:
		c.at(path+".timeout", "0 would wait for no answer: write a time such as 10s")
	case l.Handler == 0 || h.Timeout < l.Handler:
	case c.root.find(path+".timeout").kind == kindTable: // it has none of its own: one mistake for all of these
		c.at("limits.handler", "%v are over before the %v that a handler without a timeout has: make it longer, or write timeouts", l.Handler, h.Timeout)
	default:
		c.at(path+".timeout", "%v never passes, since limits.handler is %v: make it shorter, or the limit longer", h.Timeout, l.Handler)
	}
}

// nameRule says what isName takes.
const nameRule = "write up to 64 letters, digits, `-`, `_` and `.`"

// isName reports whether s is a name for people: a value of a label, which stays short.
func isName(s string) bool {
	const most = 64
	ok := s != "" && len(s) <= most
	for _, r := range s {
		letter := r|0x20 >= 'a' && r|0x20 <= 'z'
		ok = ok && (letter || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	}
	return ok
}
