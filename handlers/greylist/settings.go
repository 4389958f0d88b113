package greylist

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"millstream/handlers"
	"millstream/handlers/store"
	"millstream/handlers/when"
	"millstream/protocol"
)

// Settings say who has to come again, and when.
type Settings struct {
	Key               []string      `toml:"key" enum:"network,helo,sender,sender_domain,recipient,recipient_domain" doc:"What has to be the same when a client comes again."`
	IPv4Bits          int           `toml:"ipv4_bits" min:"1" max:"32" doc:"How many bits of an IPv4 address are the network of a client."`
	IPv6Bits          int           `toml:"ipv6_bits" min:"1" max:"128" doc:"How many bits of an IPv6 address are the network of a client."`
	Delay             time.Duration `toml:"delay" doc:"How long a new key is refused."`
	RetryWindow       time.Duration `toml:"retry_window" doc:"How long after its first try a client may come again. Later it begins anew."`
	Lifetime          time.Duration `toml:"lifetime" doc:"How long a key that has passed is known after its last use."`
	WhitelistAfter    int           `toml:"whitelist_after" min:"0" max:"1000000" doc:"How many messages have to pass until a client network is not delayed any more. Zero means never."`
	OnLocal           string        `toml:"on_local" enum:"pass,delay" doc:"What becomes of a new key while the shared store does not answer."`
	SkipAuthenticated bool          `toml:"skip_authenticated" doc:"Do not delay clients that have logged in."`
	SkipNetworks      []string      `toml:"skip_networks" doc:"Networks that are not delayed: names of networks, or such as 192.0.2.0/24."`
	SkipNullSender    bool          `toml:"skip_null_sender" doc:"Do not delay messages from the null sender: bounces, and checks of addresses."`
	Code              int           `toml:"code" min:"400" max:"499" doc:"SMTP code of a refusal."`
	Enhanced          string        `toml:"enhanced" doc:"Enhanced code of a refusal."`
	Text              string        `toml:"text" doc:"What a client is told, in one line or more; {{wait}} is how many seconds it has to wait."`
	Header            string        `toml:"header,omitempty" doc:"Name of a header that tells how long a message was delayed. Without it none is added."`
}

// Defaults returns settings as they are if nobody says otherwise.
func Defaults() *Settings {
	const day = 24 * time.Hour
	return &Settings{
		Key: []string{network, sender, recipient}, IPv4Bits: 24, IPv6Bits: 64,
		Delay: 5 * time.Minute, RetryWindow: 2 * day, Lifetime: 36 * day, WhitelistAfter: 5,
		OnLocal: onLocalPass, SkipAuthenticated: true, SkipNetworks: []string{"127.0.0.0/8", "::1/128"},
		Code: 450, Enhanced: "4.7.1", Text: "greylisted: please try again in " + waitWord + " seconds",
	}
}

// The words of Settings.OnLocal.
const (
	onLocalPass  = "pass"
	onLocalDelay = "delay"
)

// Check tells wrong what cannot be: the key, such as "skip_networks[1]", and what is
// wrong and how to mend it. Names of networks, and what the tags of the fields do not
// allow, are left to Mistakes.
func (s *Settings) Check(wrong func(key, text string)) {
	if len(s.Key) == 0 {
		wrong("key", fmt.Sprintf("there is nothing that has to be the same: write some of %s", strings.Join(words, ", ")))
	}
	for i, word := range s.Key {
		if slices.Contains(s.Key[:i], word) {
			wrong(fmt.Sprintf("key[%d]", i), fmt.Sprintf("%q stands there twice: leave one out", word))
		}
	}
	if s.Delay < time.Millisecond {
		wrong("delay", "nobody would have to wait: write a time such as 5m")
	}
	if s.RetryWindow <= s.Delay {
		wrong("retry_window", fmt.Sprintf("nobody could come again after the delay of %v: write a longer time, such as 48h", s.Delay))
	}
	if s.Lifetime < time.Millisecond {
		wrong("lifetime", "nobody would be known: write a time such as 864h, which is 36 days")
	}
	if err := s.reply(0).Err(); err != nil {
		key := "text"
		if errors.Is(err, protocol.ErrInvalidCode) {
			key = "code"
		}
		wrong(key, fmt.Sprintf("%v: write a code 4xx, an enhanced code 4.x.x, and up to 32 lines of text", err))
	}
	if strings.ContainsFunc(s.Header, func(r rune) bool { return r <= ' ' || r == ':' || r > '~' }) {
		wrong("header", fmt.Sprintf("%q is no name of a header: write letters, digits and dashes, such as X-Greylist", s.Header))
	}
}

// Mistakes returns what is wrong, each with its key; nil for nothing. It is what Check
// tells, the networks that cannot be, and what is not among the words and numbers that the
// tags of the fields allow. names may be nil.
func (s *Settings) Mistakes(names *when.Names) when.Mistakes {
	_, mistakes := newFilter(s, names)
	return mistakes
}

// Needs returns nothing, as there are no expressions: the filter has the events sent by
// itself, and asks for the macro that it uses where others are asked for. The error is
// that of [New].
func (s *Settings) Needs(names *when.Names) (when.Needs, error) {
	return when.Needs{}, s.Mistakes(names).Err()
}

// New returns the filter. Its marks are in st, which is to be open for as long as the
// filter is used. names may be nil; of them the networks are used. meter takes what
// [MetricDecisions] and [MetricDelay] are; nil is nowhere. labels are said with each
// measurement, to tell those of several filters apart. log is told of networks that are
// not delayed any more; nil means slog.Default. The error joins what [Settings.Mistakes]
// returns.
func New(
	s *Settings, names *when.Names, st store.Store, meter metric.Meter, log *slog.Logger, labels ...attribute.KeyValue,
) (handlers.Handler, error) {
	f, mistakes := newFilter(s, names)
	if err := mistakes.Err(); err != nil {
		return nil, err
	}
	if f.log = log; log == nil {
		f.log = slog.Default()
	}
	f.marks, f.mayWait = st, st.MayWait()
	f.telemetry = newTelemetry(meter, f.log, labels)
	return f.handler(), nil
}

// newFilter returns what settings say of a filter, which is of use without mistakes.
func newFilter(s *Settings, names *when.Names) (f *filter, mistakes when.Mistakes) {
	s.Check(mistakes.AddText)
	if s.OnLocal != onLocalPass && s.OnLocal != onLocalDelay {
		mistakes.Add("on_local", fmt.Errorf("%q is none of %s, %s", s.OnLocal, onLocalPass, onLocalDelay))
	}
	if s.WhitelistAfter < 0 {
		mistakes.Add("whitelist_after", fmt.Errorf("%d messages cannot pass: write 0 for never", s.WhitelistAfter))
	}
	own := *s
	f = &filter{settings: &own, keys: newKeys(s, &mistakes)}
	f.skipped = names.AnyNetwork(s.SkipNetworks, func(i int, err error) {
		mistakes.Add(fmt.Sprintf("skip_networks[%d]", i), err)
	})
	return f, mistakes
}
