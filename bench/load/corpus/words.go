package corpus

import (
	"math/rand/v2"
	"slices"
	"strings"

	"millstream/protocol"
)

const (
	maxLine = 78 // characters of a line, as RFC 5322, section 2.1.1, has it

	// textSlack is how much more text there is than the longest body has, in bytes,
	// so that bodies differ.
	textSlack = 16 << 10
)

// vocabulary has the words of synthetic mails.
var vocabulary = strings.Fields(`
	a about account after again all also always and answer any are around as ask at attached available back be
	because been before begin below best between both budget but by call can case change check clear close come
	company complete contact contract could customer date day deliver detail did different do document done down
	during each early email end even every example few figure file final find first following for forward found
	from full further general get give go good group had hand has have hear help here high hope how however if
	important in include information invoice is issue it item just keep kind know large last late later leave left
	less let letter like line list little long look made mail make many market matter may meet meeting member
	message might minute money month more morning most much must name need never new next no not note nothing
	notice now number of offer office often old on once one only open or order other our out over own page paper
	part past pay people perhaps place plan please point possible present price problem product project public
	question quite rather read ready reason receive regards reply report request rest result right room same say
	schedule school second see send sent service several shall she short should side since small so some soon
	start state still stop such sure system take team tell than thank that the their them then there these they
	thing think this those through time to today together tomorrow too town travel try turn two under until up
	update us use very visit wait want was water way we week well were what when where which while who why will
	with without word work world would write year yes yesterday yet you your`)

// newWriter returns a writer with text for bodies of some sizes.
func newWriter(seed uint64, sizes []int64) *writer {
	w := &writer{random: rand.New(rand.NewPCG(seed, 0x6d696c6c))}
	longest := int64(0)
	if len(sizes) > 0 {
		longest = slices.Max(sizes)
	}
	if longest == 0 {
		return w
	}
	need := int(longest) + textSlack
	w.text = make([]byte, 0, need+maxLine+2)
	for len(w.text) < need {
		w.text = w.appendLine(w.text)
		w.ends = append(w.ends, len(w.text))
	}
	return w
}

// appendLine appends a line of words.
func (w *writer) appendLine(text []byte) []byte {
	length, start := 40+w.random.IntN(maxLine-40+1), len(text)
	for {
		word := w.word()
		if len(text)-start+1+len(word) > length {
			return append(text, "\r\n"...)
		}
		if len(text) > start {
			text = append(text, ' ')
		}
		text = append(text, word...)
	}
}

// body returns a piece of the text. It ends with a line, and so that it has its size
// it begins anywhere in one, only not within a line end.
func (w *writer) body(size int64) protocol.View {
	if size == 0 {
		return nil
	}
	n := max(int(size), len("\r\n"))
	first, _ := slices.BinarySearch(w.ends, n)
	at := first + w.random.IntN(len(w.ends)-first)
	for range w.ends[first:] {
		if w.ends[at] == n || w.text[w.ends[at]-n] != '\n' {
			break
		}
		if at--; at < first {
			at = len(w.ends) - 1
		}
	}
	return w.text[w.ends[at]-n : w.ends[at] : w.ends[at]]
}

// word returns any word.
func (w *writer) word() string { return vocabulary[w.random.IntN(len(vocabulary))] }

// words returns some words.
func (w *writer) words(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = w.word()
	}
	return strings.Join(list, " ")
}

// address returns an address at a host.
func (w *writer) address(host string) string { return w.word() + "." + w.word() + "@" + host }
