package corpus

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"millstream/netio/mta"
	"millstream/protocol"
)

// The limits of a Spec, far beyond what MTAs allow.
const (
	maxHeaders  = 10_000
	maxReceived = 10_000 // recipients
	maxMails    = 100_000
)

// A Spec says what synthetic mails are like. The same Spec makes the same mails.
type Spec struct {
	// Headers is how many fields each has. Those that every mail has come first:
	// Received, Date, From, To, Subject, Message-ID, MIME-Version, Content-Type and
	// Content-Transfer-Encoding. Those beyond them begin with "X-".
	Headers int

	Recipients int    // of each mail; 0 is 1
	Body       Sizes  // how long bodies are; one that is not empty has 2 bytes at least
	Seed       uint64 // of all that is random

	// Count is how many mails there are. They have sizes at even distances in the
	// distribution. Zero is as many as are needed to stand for it: 1 for one size,
	// 64 and more otherwise.
	Count int

	Envelope Envelope // used instead of the one that mails have
}

// Synthetic makes mails: text of random words in lines of 78 characters at most.
// The error says which value of the Spec is beyond what is possible.
func Synthetic(spec Spec) ([]*mta.Mail, error) {
	if spec.Recipients == 0 {
		spec.Recipients = 1
	}
	if spec.Count == 0 {
		spec.Count = spec.Body.count()
	}
	for _, v := range [...]struct {
		what                string
		value, least, limit int
	}{
		{"headers", spec.Headers, 0, maxHeaders},
		{"recipients", spec.Recipients, 1, maxReceived},
		{"mails", spec.Count, 1, maxMails},
	} {
		if v.value < v.least || v.value > v.limit {
			return nil, fmt.Errorf("%d %s are not possible: from %d to %d are", v.value, v.what, v.least, v.limit)
		}
	}
	sizes := spec.Body.spread(spec.Count)
	w := newWriter(spec.Seed, sizes)
	extra := w.extraHeaders(spec.Headers - len(commonHeaders))
	mails := make([]*mta.Mail, spec.Count)
	for i := range mails {
		mails[i] = w.mail(&spec, i, sizes[i], extra)
	}
	return mails, nil
}

// A letter is what the header of a mail tells of.
type letter struct {
	number         int
	from, subject  string
	to             []string
	id, host, time string
}

// commonHeaders are the fields that every mail has.
var commonHeaders = []struct {
	name  string
	value func(*letter) string
}{
	{"Received", func(l *letter) string {
		return " from " + l.host + " (" + l.host + " [198.51.100.25])\n\tby mx.example.org (Postfix) with ESMTPS id " + l.id +
			"\n\tfor <" + l.to[0] + ">; " + l.time
	}},
	{"Date", func(l *letter) string { return " " + l.time }},
	{"From", func(l *letter) string { return " " + named(l.from) }},
	{"To", func(l *letter) string {
		list := make([]string, len(l.to))
		for i, addr := range l.to {
			list[i] = named(addr)
		}
		return " " + strings.Join(list, ",\n ")
	}},
	{"Subject", func(l *letter) string { return " " + l.subject }},
	{"Message-ID", func(l *letter) string { return " <" + l.id + "." + fmt.Sprint(l.number) + "@" + l.host + ">" }},
	{"MIME-Version", func(*letter) string { return " 1.0" }},
	{"Content-Type", func(*letter) string { return " text/plain; charset=us-ascii" }},
	{"Content-Transfer-Encoding", func(*letter) string { return " 7bit" }},
}

// named returns an address behind the name that it is made of.
func named(addr string) string {
	local, _, _ := strings.Cut(addr, "@")
	first, last, _ := strings.Cut(local, ".")
	return title(first) + " " + title(last) + " <" + addr + ">"
}

// title returns a word with a capital letter.
func title(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToUpper(word[:1]) + word[1:]
}

// firstDate is that of the first mail; each has been sent a minute after the one before.
var firstDate = time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)

// A writer writes mails.
type writer struct {
	random *rand.Rand
	text   []byte // of which bodies are pieces
	ends   []int  // of the lines of text
}

// mail writes the mail of a number.
func (w *writer) mail(spec *Spec, number int, size int64, extra []protocol.Header) *mta.Mail {
	l := letter{
		number: number, from: w.address("example.org"), subject: title(w.words(3 + w.random.IntN(6))),
		id: fmt.Sprintf("%010X", 1<<36+w.random.Int64N(1<<39)), host: "mail.example.org",
		time: firstDate.Add(time.Duration(number) * time.Minute).Format(time.RFC1123Z),
	}
	for i := range spec.Recipients {
		user, host, _ := strings.Cut(w.address("example.com"), "@")
		if i > 0 {
			user += fmt.Sprint(i) // so that none comes twice
		}
		l.to = append(l.to, user+"@"+host)
	}
	m := &mta.Mail{Body: w.body(size)}
	m.Headers = make([]protocol.Header, 0, spec.Headers)
	for _, h := range commonHeaders[:min(spec.Headers, len(commonHeaders))] {
		m.Headers = append(m.Headers, protocol.Header{Name: protocol.View(h.name), Value: protocol.View(h.value(&l))})
	}
	m.Headers = append(m.Headers, extra...)
	m.From = protocol.MailFrom{
		Addr:   protocol.View(bracket(l.from)),
		Params: protocol.NewParams(fmt.Sprintf("SIZE=%d", messageSize(m))),
	}
	for _, addr := range l.to {
		m.To = append(m.To, protocol.RcptTo{Addr: protocol.View(bracket(addr))})
	}
	spec.Envelope.apply(m)
	return m
}

// messageSize returns the bytes of header and body as SMTP has them.
func messageSize(m *mta.Mail) int {
	n := len(m.Body) + 2
	for _, h := range m.Headers {
		n += len(h.Name) + 1 + len(h.Value) + strings.Count(h.Value.String(), "\n") + 2
	}
	return n
}

// extraHeaders returns n fields beyond those that every mail has, or none.
func (w *writer) extraHeaders(n int) []protocol.Header {
	list := make([]protocol.Header, max(n, 0))
	for i := range list {
		name := fmt.Sprintf("X-%s-%d", title(w.word()), i+1)
		list[i] = protocol.Header{Name: protocol.View(name), Value: protocol.View(" " + w.words(2+w.random.IntN(5)))}
	}
	return list
}
