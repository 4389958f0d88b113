package main

import (
	"fmt"
	"strings"

	"millstream/protocol"
)

// maxOffer is the version that MTAs of today offer.
const maxOffer = protocol.Version

// offerOf returns what an MTA offers that speaks a version and no newer one.
func offerOf(version uint32) protocol.Options {
	o := protocol.Options{Version: version}
	switch {
	case version >= 6:
		o.Actions, o.Steps = protocol.ActionsAll, protocol.StepsAll
		return o
	case version >= 4:
		o.Steps |= protocol.StepNoData
		fallthrough
	case version >= 3:
		o.Steps |= protocol.StepNoUnknown
		fallthrough
	default:
		o.Steps |= protocol.StepNoEndOfHeader<<1 - 1
		o.Actions = protocol.ActionQuarantine<<1 - 1
	}
	return o
}

// planOffer plans the negotiation.
func (f *sendFlags) planOffer(p *sendPlan) error {
	if f.version < protocol.MinVersion || f.version > protocol.Version {
		return fmt.Errorf("--protocol %d is no version: 2 to 6 are", f.version)
	}
	p.offer = offerOf(f.version)
	var err error
	if p.offer.Actions, err = chooseBits("--actions", f.actions, p.offer.Actions); err != nil {
		return err
	}
	if p.offer.Steps, err = chooseBits("--steps", f.steps, p.offer.Steps); err != nil {
		return err
	}
	if meant := p.offer.Normal(); meant != p.offer {
		p.notes = append(p.notes, "who offers no actions or no steps offers those of the first MTAs: the protocol has it so")
	}
	return nil
}

// flagBits are protocol.Actions or protocol.Steps.
type flagBits interface {
	~uint32
	fmt.Stringer
}

// chooseBits returns the bits that were asked for: those named, or all but those
// named with "-" before them. No choice is all.
func chooseBits[T flagBits](flag string, names []string, all T) (T, error) {
	if len(names) == 0 {
		return all, nil
	}
	var chosen T
	if strings.HasPrefix(names[0], "-") {
		chosen = all
	}
	for _, name := range names {
		word, remove := strings.CutPrefix(strings.ToLower(strings.TrimSpace(name)), "-")
		bits, ok := bitsNamed(word, all)
		switch {
		case !ok:
			return 0, fmt.Errorf("%s: %q is not known; write all, none, or names of %s",
				flag, name, strings.Join(bitNames(^T(0)), ", "))
		case remove:
			chosen &^= bits
		default:
			chosen |= bits
		}
	}
	return chosen, nil
}

// bitsNamed returns the bits of a word: all, none, or the name of one.
func bitsNamed[T flagBits](word string, all T) (bits T, ok bool) {
	switch word {
	case "all":
		return all, true
	case "none":
		return 0, true
	}
	for i := range 32 {
		if b := T(1) << i; b.String() == word {
			return b, true
		}
	}
	return 0, false
}

// bitNames returns the names of bits, without those that have none.
func bitNames[T flagBits](bits T) []string {
	names := []string{}
	for i := range 32 {
		if b := T(1) << i; bits&b != 0 && !strings.HasPrefix(b.String(), "0x") {
			names = append(names, b.String())
		}
	}
	return names
}
