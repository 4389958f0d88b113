package lists

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/gaissmai/bart"
)

// maxMistakes is how many mistakes of a list are told.
const maxMistakes = 10

// errMistakes is why a list is not read on.
var errMistakes = errors.New("mistakes")

// A parser makes a table of the lines of a list.
type parser struct {
	kind       Kind
	maxEntries int
	maxLine    int
	place      func(line int) string // names a line in a mistake

	table     *table
	arena     []byte
	key       []byte
	entries   int
	numbers   map[string]uint32 // of values
	firstLine []int             // of each value; 0 if no entry has it
	mistakes  []error
}

func newParser(kind Kind, limits *Config, place func(line int) string) *parser {
	p := &parser{
		kind: kind, maxEntries: limits.MaxEntries, maxLine: limits.MaxLine, place: place,
		table: &table{kind: kind, values: []string{""}}, numbers: make(map[string]uint32), firstLine: []int{0},
	}
	if kind == Networks {
		p.table.networks = new(bart.Table[uint32])
	}
	return p
}

// wrong notes a mistake. The error says that there are too many to go on.
func (p *parser) wrong(line int, err error) error {
	p.mistakes = append(p.mistakes, fmt.Errorf("%s: %w", p.place(line), err))
	if len(p.mistakes) == maxMistakes {
		p.mistakes = append(p.mistakes, errors.New("these are the first mistakes: there may be more"))
		return errMistakes
	}
	return nil
}

// read takes all lines of r. The error is that of r.
func (p *parser) read(r io.Reader) error {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, min(4096, p.maxLine)), p.maxLine+1) // with the line feed
	line := 0
	for s.Scan() {
		line++
		b := s.Bytes()
		if line == 1 {
			b = bytes.TrimPrefix(b, []byte("\ufeff")) // which some editors write
		}
		if !p.line(line, b) {
			return nil
		}
	}
	if errors.Is(s.Err(), bufio.ErrTooLong) {
		_ = p.wrong(line+1, fmt.Errorf("the line is longer than %d bytes", p.maxLine))
		return nil
	}
	return s.Err()
}

// line takes one line. It reports whether to go on.
func (p *parser) line(line int, b []byte) bool {
	key, value, err := split(b)
	if err == nil && key != nil {
		err = p.entry(line, key, value)
	}
	return err == nil || p.wrong(line, err) == nil && !errors.Is(err, errFull)
}

// errFull is that a list has too many entries.
var errFull = errors.New("too many entries")

// entry takes one entry.
func (p *parser) entry(line int, key, value []byte) (err error) {
	if p.entries >= p.maxEntries || len(p.arena) > maxArena-2*maxKey {
		return fmt.Errorf("%w: there may be %d", errFull, p.entries)
	}
	if p.kind == Networks {
		prefix, err := network(string(key))
		if err != nil {
			return err
		}
		number := p.number(line, value)
		p.table.networks.Modify(prefix, func(first uint32, there bool) (uint32, bool) {
			if there {
				p.table.repeated++
				return first, false
			}
			return number, false
		})
	} else {
		if p.key, err = appendEntry(p.key[:0], p.kind, string(key)); err != nil {
			return err
		}
		p.arena = appendRecord(p.arena, p.key, p.number(line, value))
	}
	p.entries++
	return nil
}

// number returns the number of a value.
func (p *parser) number(line int, value []byte) uint32 {
	number, known := p.numbers[string(value)] // 0 for none
	if !known && len(value) > 0 {
		number = uint32(len(p.table.values))
		p.numbers[string(value)] = number
		p.table.values = append(p.table.values, string(value))
		p.firstLine = append(p.firstLine, 0)
	}
	if p.firstLine[number] == 0 {
		p.firstLine[number] = line
	}
	return number
}

// done returns the table of the lines that were taken, or all mistakes in them.
func (p *parser) done() (*table, error) {
	if err := errors.Join(p.mistakes...); err != nil {
		return nil, err
	}
	if p.kind != Networks {
		p.table.keys, p.table.repeated = newIndex(p.arena, p.entries)
	}
	p.table.entries = p.entries - p.table.repeated
	return p.table, nil
}

// split returns the key and the value of a line; a nil key for one that has none.
func split(line []byte) (key, value []byte, err error) {
	line = bytes.TrimRight(line, " \t\r")
	switch {
	case len(line) == 0 || line[0] == '#':
		return nil, nil, nil
	case line[0] == ' ' || line[0] == '\t':
		return nil, nil, errors.New("the line begins with a space: write each entry in one line, from its first column on")
	case !utf8.Valid(line):
		return nil, nil, errors.New("the line is not in UTF-8")
	}
	for _, c := range line {
		if c < ' ' && c != '\t' || c == 0x7f {
			return nil, nil, fmt.Errorf("the line has the control character %#02x in it", c)
		}
	}
	end := keyEnd(line)
	value = bytes.TrimLeft(line[end:], " \t")
	if len(value) > 0 && value[0] == '#' {
		value = nil
	}
	return line[:end], value, nil
}

// keyEnd returns where the key of a line ends: at a space that is not within quotes.
func keyEnd(line []byte) int {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case !quoted && (c == ' ' || c == '\t'):
			return i
		}
	}
	return len(line)
}

// ParseEntry returns the key and the value of an entry, which is a line of a list. The
// key is in the form in which it is compared. The error says what is wrong with it, and
// how to mend it; an entry with a comment in it alone is wrong too.
func ParseEntry(kind Kind, entry string) (key, value string, err error) {
	if strings.Contains(entry, "\n") {
		return "", "", errors.New("the entry has several lines: write an entry for each")
	}
	k, v, err := split([]byte(entry))
	switch {
	case err != nil:
		return "", "", err
	case k == nil:
		return "", "", errors.New("the entry is empty: leave it out")
	case kind == Networks:
		prefix, err := network(string(k))
		return prefix.String(), string(v), err
	}
	k, err = appendEntry(nil, kind, string(k))
	return string(k), string(v), err
}
