package greylist

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
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
// wrong and how to mend it. Names of networks are left to New.
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

// New returns the filter. Its marks are in st, which is to be open for as long as the
// filter is used. names may be nil; of them the networks are used. meter takes what
// [MetricDecisions] and [MetricDelay] are; nil is nowhere. labels are said with each
// measurement, to tell those of several filters apart. log is told of networks that are
// not delayed any more; nil means slog.Default. The error has what Check tells, and what
// is not among the words and names.
func New(
	s *Settings, names *when.Names, st store.Store, meter metric.Meter, log *slog.Logger, labels ...attribute.KeyValue,
) (handlers.Handler, error) {
	var mistakes []error
	s.Check(func(key, text string) { mistakes = append(mistakes, fmt.Errorf("%s: %s", key, text)) })
	if s.OnLocal != onLocalPass && s.OnLocal != onLocalDelay {
		mistakes = append(mistakes, fmt.Errorf("on_local: %q is none of %s, %s", s.OnLocal, onLocalPass, onLocalDelay))
	}
	if s.WhitelistAfter < 0 {
		mistakes = append(mistakes, fmt.Errorf("whitelist_after: %d messages cannot pass: write 0 for never", s.WhitelistAfter))
	}
	keys, err := newKeys(s)
	mistakes = append(mistakes, err)
	skipped, err := networks(s.SkipNetworks, names)
	mistakes = append(mistakes, err)
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.Default()
	}
	own := *s
	f := &filter{
		settings: &own, keys: keys, skipped: skipped, marks: st, mayWait: st.MayWait(),
		telemetry: newTelemetry(meter, log, labels), log: log,
	}
	return f.handler(), nil
}

// networks returns the networks that a list names.
func networks(list []string, names *when.Names) (found []when.Network, err error) {
	var prefixes []netip.Prefix
	for i, word := range list {
		if names != nil && names.Networks[word] != nil {
			found = append(found, names.Networks[word])
			continue
		}
		p, err := netip.ParsePrefix(word)
		if err != nil {
			addr, err := netip.ParseAddr(word)
			if err != nil {
				return nil, fmt.Errorf("skip_networks[%d]: %q is no network, and there is none of this name: write one such as 192.0.2.0/24", i, word)
			}
			p = netip.PrefixFrom(addr, addr.BitLen())
		}
		prefixes = append(prefixes, p)
	}
	return append(found, when.Prefixes(prefixes...)), nil
}
