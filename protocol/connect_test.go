package protocol

import (
	"net/netip"
	"testing"
)

// inet returns an address of the given family.
func inet(f Family, ip string, port uint16) Addr {
	return Addr{Family: f, IP: netip.MustParseAddr(ip), Port: port}
}

func TestConnect(t *testing.T) {
	unknown := Addr{Family: FamilyUnknown}
	tests := []struct {
		name  string
		body  string
		want  Addr
		field string
		err   error
	}{
		{"nothing", "", Addr{}, "host", ErrMissingNull},
		{"host without end", "host", Addr{}, "host", ErrMissingNull},
		{"no family", "host\x00", Addr{}, "family", ErrShortPacket},
		{"family nobody knows", "host\x00X\x00\x19192.0.2.1\x00", Addr{}, "family", ErrUnknownFamily},
		{"family of byte 0", "host\x00\x00", Addr{}, "family", ErrUnknownFamily},
		{"small letter", "host\x00l\x00\x00/x\x00", Addr{}, "family", ErrUnknownFamily},

		{"unknown", "host\x00U", unknown, "", nil},
		{"unknown, more than asked", "host\x00U\x00\x19192.0.2.1\x00", unknown, "", nil},

		{"inet", "host\x004\x00\x19192.0.2.1\x00", inet(FamilyInet, "192.0.2.1", 25), "", nil},
		{"inet, no port known", "host\x004\x00\x00192.0.2.1\x00", inet(FamilyInet, "192.0.2.1", 0), "", nil},
		{"inet, highest port", "host\x004\xff\xff192.0.2.1\x00", inet(FamilyInet, "192.0.2.1", 65535), "", nil},
		{"inet, more than asked", "host\x004\x00\x19192.0.2.1\x00more", inet(FamilyInet, "192.0.2.1", 25), "", nil},
		{"inet, no port", "host\x004", Addr{}, "port", ErrShortPacket},
		{"inet, half a port", "host\x004\x00", Addr{}, "port", ErrShortPacket},
		{"inet, no address", "host\x004\x00\x19", Addr{}, "address", ErrMissingNull},
		{"inet, without end", "host\x004\x00\x19192.0.2.1", Addr{}, "address", ErrMissingNull},
		{"inet, empty address", "host\x004\x00\x19\x00", Addr{}, "address", ErrInvalidAddress},
		{"inet, a letter behind", "host\x004\x00\x19192.0.2.12x\x00", Addr{}, "address", ErrInvalidAddress},
		{"inet, three numbers", "host\x004\x00\x19192.0.2\x00", Addr{}, "address", ErrInvalidAddress},
		{"inet, leading zero", "host\x004\x00\x19192.0.2.01\x00", Addr{}, "address", ErrInvalidAddress},
		{"inet, number too great", "host\x004\x00\x19192.0.2.256\x00", Addr{}, "address", ErrInvalidAddress},
		{"inet, space", "host\x004\x00\x19 192.0.2.1\x00", Addr{}, "address", ErrInvalidAddress},
		{"inet, other family", "host\x004\x00\x192001:db8::1\x00", Addr{}, "address", ErrInvalidAddress},
		{"inet, prefix of the other family", "host\x004\x00\x19IPv6:192.0.2.1\x00", Addr{}, "address", ErrInvalidAddress},
		{"inet, unknown", "host\x004\x00\x00unknown\x00", unknown, "", nil},
		{"inet, Unknown", "host\x004\x00\x00Unknown\x00", Addr{}, "address", ErrInvalidAddress},

		{"inet6", "host\x006\x00\x192001:db8::1\x00", inet(FamilyInet6, "2001:db8::1", 25), "", nil},
		{"inet6, prefix", "host\x006\x00\x19IPv6:2001:db8::1\x00", inet(FamilyInet6, "2001:db8::1", 25), "", nil},
		{"inet6, small prefix", "host\x006\x00\x19ipv6:2001:db8::1\x00", inet(FamilyInet6, "2001:db8::1", 25), "", nil},
		{"inet6, prefix twice", "host\x006\x00\x19IPv6:IPv6:2001:db8::1\x00", Addr{}, "address", ErrInvalidAddress},
		{"inet6, prefix alone", "host\x006\x00\x19IPv6:\x00", Addr{}, "address", ErrInvalidAddress},
		{"inet6, inet inside", "host\x006\x00\x19::ffff:192.0.2.1\x00", inet(FamilyInet6, "::ffff:192.0.2.1", 25), "", nil},
		{"inet6, zone", "host\x006\x00\x19fe80::1%eth0\x00", Addr{}, "address", ErrInvalidAddress},
		{"inet6, other family", "host\x006\x00\x19192.0.2.1\x00", Addr{}, "address", ErrInvalidAddress},
		{"inet6, brackets", "host\x006\x00\x19[2001:db8::1]\x00", Addr{}, "address", ErrInvalidAddress},
		{"inet6, unknown", "host\x006\x00\x00unknown\x00", unknown, "", nil},
		{"inet6, half a port", "host\x006\x00", Addr{}, "port", ErrShortPacket},

		{"unix", "host\x00L\x00\x00/run/mta.sock\x00", Addr{Family: FamilyUnix, Path: "/run/mta.sock"}, "", nil},
		{"unix, port of no use", "host\x00L\x00\x19/run/mta.sock\x00", Addr{Family: FamilyUnix, Path: "/run/mta.sock"}, "", nil},
		{"unix, no path", "host\x00L\x00\x00\x00", Addr{Family: FamilyUnix}, "", nil},
		{"unix, named unknown", "host\x00L\x00\x00unknown\x00", Addr{Family: FamilyUnix, Path: "unknown"}, "", nil},
		{"unix, half a port", "host\x00L\x00", Addr{}, "port", ErrShortPacket},
		{"unix, without end", "host\x00L\x00\x00/run", Addr{}, "address", ErrMissingNull},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var d Decoder
			got, err := d.Decode(CodeConnect, View(tt.body))
			checkDecodeError(t, err, CodeConnect, tt.field, tt.err)
			if tt.err != nil {
				return
			}
			c := got.(*Connect)
			if string(c.Host) != "host" || c.Addr != tt.want {
				t.Errorf("%q %+v, want %+v", c.Host, c.Addr, tt.want)
			}
			again, err := d.Decode(openPacket(t, c.Clone().Append(nil)))
			if err != nil || again.(*Connect).Addr != tt.want {
				t.Errorf("sent and received again: %+v, error %v", again, err)
			}
		})
	}
}

// TestConnectHost checks that the host is taken as it is.
func TestConnectHost(t *testing.T) {
	for _, host := range []string{"", "mx.example", "[192.0.2.1]", "[IPv6:2001:db8::1]", "\xff\xfe"} {
		var d Decoder
		c, err := d.Decode(CodeConnect, View(host+"\x00U"))
		if err != nil || string(c.(*Connect).Host) != host {
			t.Errorf("%q: %+v, error %v", host, c, err)
		}
	}
}

// TestConnectZero checks that an address that is not known is sent as such.
func TestConnectZero(t *testing.T) {
	c := &Connect{Host: View("host")}
	if got, want := string(c.Append(nil)), "\x00\x00\x00\x07Chost\x00U"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAddr(t *testing.T) {
	tests := []struct {
		addr    Addr
		text    string
		network string
	}{
		{Addr{}, "", "unknown"},
		{Addr{Family: FamilyUnknown}, "unknown", "unknown"},
		{inet(FamilyInet, "192.0.2.1", 25), "inet:25@192.0.2.1", "inet"},
		{inet(FamilyInet6, "2001:db8::1", 0), "inet6:0@2001:db8::1", "inet6"},
		{Addr{Family: FamilyUnix, Path: "/run/mta.sock"}, "unix:/run/mta.sock", "unix"},
		{Addr{Family: FamilyUnix}, "unix:", "unix"},
		{Addr{Family: 'X'}, "unknown", "unknown"},
	}
	for _, tt := range tests {
		if got := tt.addr.String(); got != tt.text {
			t.Errorf("%+v is %q, want %q", tt.addr, got, tt.text)
		}
		if got := tt.addr.Network(); got != tt.network {
			t.Errorf("network of %+v is %q, want %q", tt.addr, got, tt.network)
		}
	}
}
