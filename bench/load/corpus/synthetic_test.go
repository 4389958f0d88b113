package corpus

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"millstream/netio/mta"
)

func sizesOf(t *testing.T, text string) Sizes {
	t.Helper()
	sizes, err := ParseSizes(text)
	if err != nil {
		t.Fatal(err)
	}
	return sizes
}

// TestSynthetic checks what all synthetic mails have in common.
func TestSynthetic(t *testing.T) {
	spec := Spec{Headers: 12, Recipients: 3, Body: sizesOf(t, "1..5000"), Seed: 7, Count: 500}
	mails, err := Synthetic(spec)
	if err != nil || len(mails) != 500 {
		t.Fatal(len(mails), err)
	}
	for i, m := range mails {
		if want := max(spec.Body.spread(500)[i], 2); int64(len(m.Body)) != want {
			t.Errorf("mail %d has a body of %d bytes, want %d", i, len(m.Body), want)
		}
		checkBody(t, i, m.Body)
		if len(m.Headers) != 12 || len(m.To) != 3 || !m.Headers[0].Name.EqualFold("Received") ||
			!bytes.HasPrefix(m.Headers[9].Name, []byte("X-")) {
			t.Errorf("mail %d has %d headers %v, %d recipients", i, len(m.Headers), m.Headers, len(m.To))
		}
		if to := addresses(m, "To"); len(to) != 3 || to[2] != m.To[2].Addr.String() {
			t.Errorf("mail %d is for %q in its header, %v in its envelope", i, to, m.To)
		}
		if from := addresses(m, "From"); len(from) != 1 || from[0] != m.From.Addr.String() || len(m.From.Params.Strings()) != 1 {
			t.Errorf("mail %d is from %q in its header, %v in its envelope", i, from, m.From)
		}
	}
	again, _ := Synthetic(spec)
	if !reflect.DeepEqual(mails, again) {
		t.Error("not the same a second time")
	}
	spec.Seed++
	if again, _ = Synthetic(spec); bytes.Equal(mails[0].Body, again[0].Body) {
		t.Error("the same with another seed")
	}
}

// checkBody checks the lines of a body. The first one may be the rest of a line.
func checkBody(t *testing.T, number int, body []byte) {
	t.Helper()
	if !bytes.HasSuffix(body, []byte("\r\n")) || bytes.Count(body, []byte("\n")) != bytes.Count(body, []byte("\r\n")) {
		t.Errorf("mail %d has a line that does not end in CRLF: %q", number, body)
	}
	for line := range bytes.Lines(body) {
		if len(line) > maxLine+2 {
			t.Errorf("mail %d has a line of %d bytes", number, len(line))
		}
	}
}

// TestSyntheticShares checks that bodies are pieces of one text.
func TestSyntheticShares(t *testing.T) {
	mails, err := Synthetic(Spec{Body: sizesOf(t, "90%:1MiB,10%:2MiB")})
	if err != nil || len(mails) != 10 {
		t.Fatal(len(mails), err)
	}
	starts := map[*byte]bool{}
	for _, m := range mails {
		starts[&m.Body[0]] = true
		if cap(m.Body) != len(m.Body) {
			t.Error("who appends to a body changes another one")
		}
	}
	if len(starts) < 5 {
		t.Errorf("%d bodies are different, of 10", len(starts))
	}
	allocated := testing.AllocsPerRun(1, func() { _, _ = Synthetic(Spec{Body: sizesOf(t, "8MiB"), Count: 100}) })
	if allocated > 20_000 {
		t.Errorf("%v allocations", allocated)
	}
}

// TestSyntheticEnvelope checks the ends of what a Spec may ask for.
func TestSyntheticEnvelope(t *testing.T) {
	mails, err := Synthetic(Spec{Headers: 2, Envelope: Envelope{From: "<>", To: []string{"a@b NOTIFY=NEVER"}}})
	if err != nil || len(mails) != 1 {
		t.Fatal(len(mails), err)
	}
	m := mails[0]
	if len(m.Body) != 0 || len(m.Headers) != 2 || envelopeText(m) != "<> -> <a@b>" {
		t.Errorf("%v", m)
	}
	if got := m.To[0].Params.Strings(); !slices.Equal(got, []string{"NOTIFY=NEVER"}) {
		t.Errorf("parameters %q", got)
	}
	for want, spec := range map[string]Spec{
		"-1 headers": {Headers: -1}, "-1 recipients": {Recipients: -1}, "-1 mails": {Count: -1}, "from 0 to 10000 are": {Headers: 10_001},
	} {
		if _, err := Synthetic(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// envelopeText returns the addresses of an envelope.
func envelopeText(m *mta.Mail) string {
	list := make([]string, len(m.To))
	for i, to := range m.To {
		list[i] = to.Addr.String()
	}
	return m.From.Addr.String() + " -> " + strings.Join(list, " ")
}
