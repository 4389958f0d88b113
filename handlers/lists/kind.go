package lists

import (
	"fmt"
	"strings"
)

// A Kind says what the entries of a list are, and so how they are looked up.
type Kind uint8

// The kinds of lists.
const (
	Networks  Kind = iota + 1 // networks and single addresses: 192.0.2.0/24, 2001:db8::1
	Names                     // any names, letter case aside: mail.example.com, root
	Domains                   // domains with all below them: example.com, .example.com
	Addresses                 // mail addresses and their domains: user@example.com, user@, @example.com, <>
)

var kindNames = [...]string{"none", "networks", "names", "domains", "addresses"}

// String returns the word for k, such as "networks".
func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return kindNames[0]
	}
	return kindNames[k]
}

// ParseKind returns the kind of a word, such as "networks".
func ParseKind(word string) (Kind, error) {
	for i, name := range kindNames[1:] {
		if word == name {
			return Kind(i + 1), nil
		}
	}
	return 0, fmt.Errorf("%q is no kind of list: write %s", word, strings.Join(kindNames[1:], ", "))
}
