package dnsbl

import "time"

// Settings say which zones are asked and what is done.
type Settings struct {
	Zones             []Zone        `toml:"zones" required:"true" doc:"A list to ask."`
	Actions           []Action      `toml:"actions" required:"true" doc:"What is done from a score on."`
	Stage             string        `toml:"stage" enum:"mail,connect" doc:"When clients and their names are looked up: mail knows who has logged in."`
	Deadline          time.Duration `toml:"deadline" doc:"How long all zones together may take at a stage. Those that take longer have failed."`
	SkipPrivate       bool          `toml:"skip_private" doc:"Look nothing up for clients with loopback, link-local, private and shared addresses."`
	SkipAuthenticated bool          `toml:"skip_authenticated" doc:"Look nothing up for clients that have logged in, from MAIL on."`
	URIHosts          int           `toml:"uri_hosts" min:"1" max:"100" doc:"How many hosts of a message are looked up at most."`
	URIBytes          int           `toml:"uri_bytes" min:"1" max:"67108864" doc:"How many bytes of a body are searched for hosts."`
}

// A Zone is one list.
type Zone struct {
	Zone       string   `toml:"zone" required:"true" doc:"Domain of the list, such as zen.spamhaus.org."`
	Name       string   `toml:"name,omitempty" doc:"What texts, logs and metrics call it. Without it the zone; give one if the zone has a key in it."`
	Lookup     []string `toml:"lookup,omitempty" enum:"client,helo,sender,uri" doc:"What is looked up. Without it client."`
	Weight     int      `toml:"weight,omitempty" min:"-1000" max:"1000" doc:"Score of a listing. Without it 1; less than 0 for a list of good ones."`
	Answers    []Answer `toml:"answers,omitempty" doc:"Answers that count. Without any all do."`
	Text       string   `toml:"text,omitempty" doc:"What a listing means, for {{reason}}."`
	TXT        bool     `toml:"txt,omitempty" doc:"Ask the zone for its text about a listing too, for {{reason}}."`
	Registered bool     `toml:"registered,omitempty" doc:"Look up the registered domain, such as example.co.uk, in place of the whole name."`
}

// An Answer is answers of a zone that count.
type Answer struct {
	Match  string `toml:"match" required:"true" doc:"Answers, byte by byte: 127.0.0.2, 127.0.0.2-9, 127.0.*.3, 127.0.0.&64 for bits."`
	Weight int    `toml:"weight,omitempty" min:"-1000" max:"1000" doc:"Score. Without it that of the zone."`
	Text   string `toml:"text,omitempty" doc:"What it means, for {{reason}}. Without it that of the zone."`
}

// An Action is what is done from a score on.
type Action struct {
	Score  int    `toml:"score" required:"true" min:"1" max:"1000000" doc:"Score from which on it is done."`
	Do     string `toml:"do" required:"true" enum:"reject,tempfail,quarantine,header" doc:"What is done."`
	Text   string `toml:"text,omitempty" doc:"What the client is told, the reason of a quarantine, or the value of a header; {{zones}}, {{score}} and so on are replaced."`
	Header string `toml:"header,omitempty" doc:"Name of the header to add."`
}

// The words of Settings.Stage.
const (
	stageMail    = "mail"
	stageConnect = "connect"
)

// The words of Action.Do.
const (
	doReject     = "reject"
	doTempFail   = "tempfail"
	doQuarantine = "quarantine"
	doHeader     = "header"
)

// Defaults returns settings as they are if nobody says otherwise: without zones and
// actions.
func Defaults() *Settings {
	return &Settings{
		Stage: stageMail, Deadline: 5 * time.Second, SkipPrivate: true, SkipAuthenticated: true,
		URIHosts: 20, URIBytes: 256 << 10,
	}
}
