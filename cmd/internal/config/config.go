package config

import (
	"strings"
	"time"

	"millstream/handlers"
	"millstream/handlers/policy"
	"millstream/handlers/when"
)

// A Config is what a configuration says, with the defaults of what it does not say.
// It is made by [Load], [Parse] and [Default] and can be changed, as flags do.
type Config struct {
	Listeners []Listener `toml:"listener" doc:"A socket to listen on. Without any it is inet:8890@127.0.0.1."`
	Limits    Limits     `toml:"limits" doc:"Limits to sessions, times and memory."`
	Log       Log        `toml:"log" doc:"The log, on standard error or in syslog."`
	OTel      OTel       `toml:"otel" doc:"OpenTelemetry. Its variables, OTEL_*, count more than what stands here."`
	Admin     Admin      `toml:"admin" doc:"The admin pages, over HTTP."`
	Store     Store      `toml:"store" doc:"State that sessions and machines share."`
	DNS       DNS        `toml:"dns" doc:"How names are looked up."`
	Control   Control    `toml:"control" doc:"The control socket, for who runs the server."`
	Networks  Networks   `toml:"networks" doc:"Networks by their names, for in_network of expressions, and for rules: in a list, or { file = \"/path\" }."`
	Lists     Lists      `toml:"lists" doc:"Lists by their names, for in_list of expressions, and for rules: in a list, or { file = \"/path\", kind = \"addresses\" }."`
	Handlers  []Handler  `toml:"handler" doc:"A filter. They are asked in the order in which they stand."`

	root    *node
	results map[string]handlers.Kind // of handlers, from which event on they are known
}

// A Listener is a socket to listen on.
type Listener struct {
	Socket      string `toml:"socket" required:"true" sample:"inet:8890@127.0.0.1" doc:"Address as Sendmail or as Postfix writes it: inet:8890@127.0.0.1, inet:127.0.0.1:8890, unix:/path; fd:3 or systemd:NAME is inherited."`
	Mode        Mode   `toml:"mode,omitempty" doc:"Access mode of a Unix socket, in octal. Without it 0660."`
	Group       string `toml:"group,omitempty" doc:"Group of a Unix socket, such as postfix."`
	MaxSessions int    `toml:"max_sessions,omitempty" doc:"Open connections at most. 0 is no limit but that of all."`
}

// Limits are the limits of all sessions. A time of 0 is no limit.
type Limits struct {
	MaxSessions   int  `toml:"max_sessions" doc:"Open connections at most. 0 is no limit."`
	CloseWhenFull bool `toml:"close_when_full" doc:"Close connections over max_sessions at once. Otherwise they wait."`
	Backlog       int  `toml:"backlog" max:"65535" doc:"Connections that the kernel keeps waiting. 0 is its default."`
	ReusePort     bool `toml:"reuse_port" doc:"Let several processes listen on one TCP address."`
	Loops         int  `toml:"loops" max:"1024" doc:"Event loops. 0 is one for each CPU."`
	Workers       int  `toml:"workers" doc:"Functions of filters that run at once beside the event loops. 0 is no limit."`

	Idle        time.Duration `toml:"idle" doc:"How long the MTA may be silent."`
	Negotiate   time.Duration `toml:"negotiate" doc:"How long a new connection may take to the end of its offer."`
	Write       time.Duration `toml:"write" doc:"How long the MTA may leave bytes unread."`
	Handler     time.Duration `toml:"handler" doc:"How long all filters together may take for an answer. It must be longer than the timeout of each."`
	Progress    time.Duration `toml:"progress" doc:"How often the MTA is asked to wait on while filters work at the end of a message. 0 is never."`
	SlowHandler time.Duration `toml:"slow_handler" doc:"How long a filter may hold an event loop before it is reported. 0 is never."`
	Linger      time.Duration `toml:"linger" doc:"How long the last output of a closed connection may take."`
	Grace       time.Duration `toml:"grace" doc:"How long sessions may go on after a signal to end."`

	PacketSize        Size `toml:"packet_size" doc:"The longest packet taken from an MTA."`
	PacketBuffer      Size `toml:"packet_buffer" doc:"Changes to a message that are gathered before they are written. 0B writes each at once."`
	Pending           Size `toml:"pending" doc:"Input that may wait behind an answer that is not known yet."`
	Outbound          Size `toml:"outbound" doc:"Output that may wait to be read by an MTA."`
	ResultHeaders     int  `toml:"result_headers" doc:"Header fields of a message that are kept for filters. 0 keeps none."`
	ResultHeaderBytes Size `toml:"result_header_bytes" doc:"Bytes of header fields that are kept. 0B keeps none."`
	ResultRecipients  int  `toml:"result_recipients" min:"1" doc:"Recipients of a message that are kept."`

	Failure string `toml:"failure" enum:"tempfail,reject,accept,discard,continue" doc:"The answer when something fails that no on_error is about."`
}

// Log is how to log.
type Log struct {
	Format       string `toml:"format" enum:"auto,text,json,journal" doc:"How lines are written. journal is for that of systemd, and auto is journal where that reads them, else text."`
	Level        string `toml:"level" enum:"debug,info,warn,error" doc:"The least important lines that are written."`
	Messages     bool   `toml:"messages" doc:"Log a line for each message."`
	Syslog       string `toml:"syslog,omitempty" enum:"mail,daemon,user,local0,local1,local2,local3,local4,local5,local6,local7" doc:"Log to syslog with this facility, not to standard error."`
	SyslogSocket string `toml:"syslog_socket,omitempty" sample:"/dev/log" doc:"Unix socket of syslog, if it is not the usual one."`
}

// OTel is what goes to OpenTelemetry.
type OTel struct {
	Endpoint       string        `toml:"endpoint,omitempty" doc:"Where a collector listens, such as http://127.0.0.1:4318. Without it nothing is sent."`
	Protocol       string        `toml:"protocol" enum:"http/protobuf,grpc" doc:"How it is spoken to."`
	ServiceName    string        `toml:"service_name" doc:"What this server is called there."`
	Sample         float64       `toml:"sample" min:"0" max:"1" doc:"The part of sessions that is traced. Messages that are refused, quarantined, slow or fail always are."`
	TraceAddresses string        `toml:"trace_addresses" enum:"off,hashed,clear" doc:"What traces tell of senders, recipients and clients."`
	TraceSlow      time.Duration `toml:"trace_slow" doc:"Messages that filters work on for so long are traced in any case. 0 is none."`
	TraceTrust     []Network     `toml:"trace_trust,omitempty" doc:"Networks of SMTP clients whose Traceparent header is believed."`
	TraceInsert    bool          `toml:"trace_insert" doc:"Put a Traceparent header into messages that are traced, in place of theirs."`
}

// Admin is where the admin pages are.
type Admin struct {
	Address string `toml:"address" doc:"Host and port; empty is none. Who can reach it can read it."`
}

// Control is where the control socket is.
type Control struct {
	Path string `toml:"path" sample:"/run/millstream/control.sock" doc:"Path of the Unix socket; empty is none, and auto where the environment says."`
}

// ControlAuto is the Path of a control socket that is where the environment says. A
// server that cannot open it there goes without.
const ControlAuto = "auto"

// Store is where the state is kept that sessions share.
type Store struct {
	Type       string        `toml:"type" enum:"memory,redis" doc:"memory is this process alone; redis is Redis or Valkey."`
	Path       string        `toml:"path,omitempty" doc:"With memory: file that keeps the state over a restart. Without it nothing does."`
	MaxEntries int           `toml:"max_entries" min:"1" doc:"Entries kept in memory; over that the soonest to expire go."`
	URLs       []string      `toml:"urls,omitempty" doc:"With redis: server, such as redis://127.0.0.1:6379/0, rediss:// with TLS, or unix:///path. Several are nodes of a cluster, or sentinels."`
	Sentinel   string        `toml:"sentinel,omitempty" doc:"With redis: name by which sentinels know the master; urls are those of the sentinels."`
	User       string        `toml:"user,omitempty" doc:"With redis: user."`
	Password   Secret        `toml:"password,omitempty" doc:"With redis: password, or file:/path."`
	Prefix     string        `toml:"prefix" doc:"With redis: what keys begin with."`
	Timeout    time.Duration `toml:"timeout" doc:"With redis: how long an answer may take before this machine decides alone."`
}

// DNS is how names are looked up.
type DNS struct {
	Servers []string      `toml:"servers,omitempty" doc:"Servers as addresses, with or without a port. Without any they are those of the system."`
	Timeout time.Duration `toml:"timeout" doc:"How long a look-up may take."`
	Cache   int           `toml:"cache" doc:"Answers that are kept. 0 keeps none."`
}

// A Handler is one filter: what all filters have, and the settings of its type, which
// stand beside them in the file.
type Handler struct {
	Name      string        `toml:"name,omitempty" doc:"What the log, traces and metrics call it. Without it the type."`
	Type      string        `toml:"type" required:"true" sample:"header" doc:"What it does."`
	When      string        `toml:"when,omitempty" doc:"An expression: the filter is asked if it holds."`
	Mode      string        `toml:"mode" enum:"enforce,observe" doc:"observe runs the filter and logs what it would do."`
	Timeout   time.Duration `toml:"timeout" doc:"How long an answer of this filter may take."`
	OnError   string        `toml:"on_error" enum:"tempfail,continue,accept,reject,quarantine" doc:"The answer when this filter fails."`
	OnTimeout string        `toml:"on_timeout" enum:"tempfail,continue,accept,reject,quarantine" doc:"The answer when this filter takes too long."`

	// Settings are those of the type; nil if it is unknown.
	Settings Settings

	kind     *Type
	when     *when.Program // nil without one
	texts    []text        // of the settings
	needs    when.Needs    // of the expressions that the type compiles
	recorded bool          // an expression asks for what it found out
}

// The words of Handler.Mode.
const (
	modeEnforce = "enforce"
	modeObserve = "observe"
)

// The words of Store.Type.
const (
	storeMemory = "memory"
	storeRedis  = "redis"
)

// DefaultSocket is where a server listens that is not told.
const DefaultSocket = "inet:8890@127.0.0.1"

// defaults returns what is so if a file does not say otherwise.
func defaults() *Config {
	return &Config{
		Limits: Limits{
			Workers: 10000,
			Idle:    7210 * time.Second, Negotiate: 30 * time.Second, Write: 7210 * time.Second, Handler: 5 * time.Minute,
			Progress: 5 * time.Second, SlowHandler: 5 * time.Millisecond, Linger: 5 * time.Second, Grace: 30 * time.Second,
			PacketSize: 1 << 20, PacketBuffer: 64 << 10, Pending: 2 << 20, Outbound: 8 << 20,
			ResultHeaders: 2000, ResultHeaderBytes: 1 << 20, ResultRecipients: 10000,
			Failure: "tempfail",
		},
		Log:   Log{Format: "auto", Level: "info", Messages: true},
		OTel:  OTel{Protocol: "http/protobuf", ServiceName: "millstream", Sample: 1, TraceAddresses: "off", TraceSlow: time.Second},
		Admin: Admin{Address: "127.0.0.1:8891"}, Control: Control{Path: ControlAuto},
		Store: Store{Type: storeMemory, MaxEntries: 1 << 20, Prefix: "millstream:", Timeout: 100 * time.Millisecond},
		DNS:   DNS{Timeout: 5 * time.Second, Cache: 10000},
	}
}

// defaultHandler returns what is so of a handler that does not say otherwise, of a type
// with this verdict if it fails.
func defaultHandler(failing policy.Verdict) Handler {
	return Handler{Mode: modeEnforce, Timeout: 30 * time.Second, OnError: failing.String(), OnTimeout: failing.String()}
}

// Has reports whether a file says something of a setting, such as "admin.address".
func (c *Config) Has(path string) bool {
	n := c.root
	for name := range strings.SplitSeq(path, ".") {
		if n = n.fields[name]; n == nil {
			return false
		}
	}
	return true
}
