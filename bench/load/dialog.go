package load

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"

	"millstream/netio/mta"
	"millstream/protocol"
)

// idLength is the length of a queue id.
const idLength = 12

// A dialog is what is said to a milter that gave one answer to the offer. Sessions
// that got the same answer share it.
type dialog struct {
	answer   []byte // to the offer, as it came
	terms    mta.Terms
	greeting *mta.Packets
	messages []atomic.Pointer[mta.Packets] // by their place in Config.Mails, made when first needed
}

// dialogs are those of a run. There is more than one only if the milter does not
// always want the same.
type dialogs struct {
	cfg *Config

	mu  sync.Mutex
	all []*dialog
}

// find returns the dialog for an answer to the offer. The error is that of
// [mta.Conclude].
func (d *dialogs) find(answer []byte, a *protocol.Answer) (*dialog, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, known := range d.all {
		if bytes.Equal(known.answer, answer) {
			return known, nil
		}
	}
	terms, err := mta.Conclude(d.cfg.Offer, a)
	if err != nil {
		return nil, err
	}
	found := &dialog{
		answer: bytes.Clone(answer), terms: terms,
		messages: make([]atomic.Pointer[mta.Packets], len(d.cfg.Mails)),
	}
	found.greeting = found.terms.Greeting(d.cfg.Dialect, &d.cfg.Client)
	d.all = append(d.all, found)
	return found, nil
}

// agreed returns what was agreed on first.
func (d *dialogs) agreed() (o protocol.Options) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.all) > 0 {
		o = d.all[0].terms.Options
	}
	return o
}

// message returns a message as it is written. Two workers may make it at once: it
// is the same then.
func (d *dialog) message(cfg *Config, i int) *mta.Packets {
	p := d.messages[i].Load()
	if p == nil {
		mail := *cfg.Mails[i]
		mail.ID = fmt.Sprintf("%0*d", idLength, 0)
		p = d.terms.Message(cfg.Dialect, &cfg.Client, &mail)
		d.messages[i].Store(p)
	}
	return p
}

// writeID writes a queue id, as Postfix has them.
func writeID(dst []byte, n uint64) {
	const digits = "0123456789BCDFGHJKLMNPQRSTVWXYZb"
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = digits[n%uint64(len(digits))]
		n /= uint64(len(digits))
	}
}
