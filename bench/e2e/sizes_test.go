package e2e

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// testLarge sends 20 MB, which must arrive as they were.
func testLarge(t *testing.T, r *rig) {
	const size = 20 << 20
	token := r.token()
	m := compose("header-added", token)
	random := rand.New(rand.NewPCG(1, 2))
	head := len(m.data)
	for len(m.data) < head+size {
		line := fmt.Appendf(nil, "%016x", random.Uint64())
		m.data = append(m.data, bytes.Repeat(line, 1+random.IntN(40))...)
		m.data = append(m.data, "\r\n"...)
	}
	_, want, _ := bytes.Cut(m.data, []byte("\r\n\r\n"))
	start := time.Now()
	r.mta.deliver(t, m)
	t.Logf("taken in %v", time.Since(start))
	_, got := r.sink.wait(t, token).split()
	if sha256.Sum256(got) != sha256.Sum256(want) {
		t.Errorf("body of %d bytes is not that of %d bytes that was sent", len(got), len(want))
	}
	if got := r.filter.result(token).BodySize; got != uint64(len(want)) {
		t.Errorf("the filter saw %d bytes of the body, want %d", got, len(want))
	}
}

// testHeaders sends a thousand header fields.
func testHeaders(t *testing.T, r *rig) {
	const number = 1000
	token := r.token()
	m := compose("header-added", token)
	var fields []byte
	for i := range number {
		fields = fmt.Appendf(fields, "X-Field: value %d\r\n", i)
	}
	m.data = append(fields, m.data...)
	r.mta.deliver(t, m)
	d := r.sink.wait(t, token)
	var want []string
	for i := range number {
		want = append(want, fmt.Sprint("value ", i))
	}
	headerIs("X-Field", want...)(t, d)
	headerEnds("X-Added: by the filter\r\n")(t, d)
	if got := len(r.filter.result(token).Headers); got < number {
		t.Errorf("the filter saw %d header fields, want at least %d", got, number)
	}
}

// testRecipients sends one message to 500 recipients. How long that takes is
// only shown: a milter that answers in small packets, each held back until the
// one before is confirmed, shows here first.
func testRecipients(t *testing.T, r *rig) {
	const number = 500
	token := r.token()
	m := compose("recipient-added", token)
	m.to = nil
	for i := range number {
		m.to = append(m.to, fmt.Sprintf("<r%d@to.example.org>", i))
	}
	start := time.Now()
	r.mta.deliver(t, m)
	t.Logf("%d recipients taken in %v", number, time.Since(start))
	r.sink.gather(t, token, number+1)
	if got := len(r.filter.result(token).Recipients); got != number {
		t.Errorf("the filter saw %d recipients, want %d", got, number)
	}
}

// testUTF8 sends addresses and header fields beyond ASCII.
func testUTF8(t *testing.T, r *rig) {
	if r.mta.name == "sendmail" {
		t.Skip("Sendmail has SMTPUTF8 only if it was compiled with USE_EAI; that of Debian was not")
	}
	token := r.token()
	m := compose("utf8", token)
	m.from = "<utf8." + token + "@bücher.example.org> SMTPUTF8"
	// Postfix would make an ORCPT of the address that the sink does not take.
	m.to = []string{"<jürgen@köln.example.org> ORCPT=rfc822;j@to.example.org"}
	m.data = append([]byte("X-Name: Jürgen Müller, 日本\r\n"), m.data...)
	r.mta.deliver(t, m)
	d := r.sink.gather(t, token, 2)
	headerIs("X-Name", "Jürgen Müller, 日本")(t, d)
	headerIs("X-Seen", "grüße von jürgen")(t, d)
	recipientsAre("jürgen@köln.example.org", "søren@århus.example.org")(t, d)
	senderIs("utf8."+token+"@bücher.example.org", "")(t, d)
	if !d.Params.UTF8 {
		t.Error("passed on without SMTPUTF8")
	}
	if got := r.filter.result(token).Recipients; !slices.Equal(got, []string{"<jürgen@köln.example.org>"}) {
		t.Errorf("the filter saw recipients %q", got)
	}
}
