package protocol

import (
	"bytes"
	"strings"
	"testing"
)

// A macroModel is Macros done simply: the pairs of each stage, and what is good
// for how long in words.
type macroModel map[Code][][2]string

// keep drops all stages but these.
func (m macroModel) keep(stages string) {
	for c := range m {
		if !strings.ContainsRune(stages, rune(c)) {
			delete(m, c)
		}
	}
}

func (m macroModel) define(stage Code, pairs string) {
	if !strings.ContainsRune(macroStages, rune(stage)) {
		return
	}
	m[stage] = nil
	fields := strings.Split(pairs, "\x00")
	for i := 0; i+1 < len(fields); i += 2 {
		if name := unbraced(fields[i]); name != "" {
			m[stage] = append(m[stage], [2]string{name, fields[i+1]})
		}
	}
}

func unbraced(name string) string {
	if strings.HasPrefix(name, "{") && strings.HasSuffix(name, "}") && len(name) > 1 {
		return name[1 : len(name)-1]
	}
	return name
}

func (m macroModel) arrive(c Code) {
	switch c {
	case CodeUnknown:
	case CodeNegotiate:
		m.keep("")
	case CodeConnect:
		m.keep("C")
	case CodeHelo:
		m.keep("CH")
	case CodeMailFrom:
		m.keep("CHM")
	case CodeRcptTo:
		m.keep("CHMR")
	default:
		m.keep("CHMRTLNBE")
	}
}

func (m macroModel) answered(c Code) {
	if strings.ContainsRune("LBU", rune(c)) {
		delete(m, c)
	}
}

func (m macroModel) endMessage(next Code) {
	m.keep("CHU" + string(rune(next)))
}

func (m macroModel) lookup(name string) (value string, ok bool) {
	name = unbraced(name)
	for _, c := range []Code("UEBNLTRMHC") {
		for _, pair := range m[c] {
			if pair[0] == name {
				value, ok = pair[1], true
			}
		}
		if ok {
			return value, true
		}
	}
	return "", false
}

// FuzzMacros does the same to Macros and to the model. The script is steps of a
// letter for what is done, a letter for the command, and for "d" a payload: one
// byte of length, and the bytes.
func FuzzMacros(f *testing.F) {
	f.Add([]byte("dM\x04i\x00x\x00aMdR\x08i\x00y\x00j\x00\x00\x00aRsReM"))
	f.Add([]byte("dU\x04i\x00u\x00dC\x06{i}\x00c\x00dE\x04i\x00e\x00aEsUe\x00aO"))
	f.Add([]byte("dL\x04i\x00x\x00aLsLdB\x04i\x00x\x00aBsBrC"))
	for _, name := range []string{"macro-connect", "macro-rcpt", "macro-data-none"} {
		packet := vector(f, name)
		f.Add(append([]byte{'d', packet[5], byte(len(packet) - 6)}, packet[6:]...))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		var m Macros
		model := make(macroModel)
		names := map[string]bool{"i": true}
		for len(script) >= 2 {
			op, c := script[0], Code(script[1])
			script = script[2:]
			switch op {
			case 'd':
				if len(script) == 0 {
					return
				}
				n := min(int(script[0]), len(script)-1)
				payload := script[1 : 1+n]
				script = script[1+n:]
				defineBoth(t, &m, model, c, payload, names)
			case 'a':
				m.Arrive(c)
				model.arrive(c)
			case 's':
				m.Answered(c)
				model.answered(c)
			case 'e':
				if c != CodeConnect && c != CodeHelo && c != CodeUnknown { // they stay in any case
					m.EndMessage(c)
					model.endMessage(c)
				}
			case 'r':
				m.Reset()
				clear(model)
			default:
				return
			}
			compareMacros(t, &m, model, names)
		}
	})
}

// defineBoth defines macros in both, and notes their names.
func defineBoth(t *testing.T, m *Macros, model macroModel, c Code, pairs []byte, names map[string]bool) {
	t.Helper()
	var d Decoder
	packet, err := d.Decode(CodeMacro, append([]byte{byte(c)}, pairs...))
	if err != nil {
		return
	}
	m.Define(packet.(*Macro))
	model.define(c, string(pairs))
	for i, field := range bytes.Split(pairs, []byte{0}) {
		if i%2 == 0 {
			names[string(field)] = true
		}
	}
}

func compareMacros(t *testing.T, m *Macros, model macroModel, names map[string]bool) {
	t.Helper()
	visible := make(map[string]bool)
	for name := range names {
		value, ok := m.Lookup(name)
		want, wantOK := model.lookup(name)
		if value != want || ok != wantOK {
			t.Fatalf("%q is %q, %v; the model says %q, %v", name, value, ok, want, wantOK)
		}
		if ok {
			visible[unbraced(name)] = true
		}
	}
	n := 0
	for name, value := range m.All() {
		n++
		if want, ok := model.lookup("{" + name + "}"); !ok || value != want {
			t.Fatalf("All has %q as %q; the model says %q, %v", name, value, want, ok)
		}
	}
	if n != len(visible) {
		t.Fatalf("All yields %d macros, %d can be looked up", n, len(visible))
	}
}
