package resolver

import "strings"

// Limits of a name (RFC 1035, 2.3.4), as text with the dot at its end.
const (
	maxName  = 254
	maxLabel = 63
)

// canonical returns a name in lower case with a dot at its end. ok is false for what can
// be no name: names come from mails, and may be anything.
func canonical(name string) (fqdn string, ok bool) {
	name = strings.TrimSuffix(name, ".") + "."
	if len(name) > maxName {
		return "", false
	}
	label := 0
	for i := range len(name) {
		switch c := name[i]; {
		case c == '.' && (label == 0 || label > maxLabel):
			return "", false
		case c == '.':
			label = 0
		case c <= ' ' || c > '~' || c == '\\': // the backslash is how the library writes other bytes
			return "", false
		default:
			label++
		}
	}
	return strings.ToLower(name), true
}

// host returns a name of an answer as users write it: without the dot at its end.
func host(name string) string { return strings.TrimSuffix(name, ".") }

// plain returns the bytes of a string of a TXT record, which the library writes with
// backslashes: \" and \\, and \DDD for what cannot be printed.
func plain(escaped string) string {
	if !strings.Contains(escaped, `\`) {
		return escaped
	}
	b := make([]byte, 0, len(escaped))
	for i := 0; i < len(escaped); i++ {
		c := escaped[i]
		switch rest := escaped[i+1:]; {
		case c != '\\' || rest == "":
		case len(rest) >= 3 && isDigits(rest[:3]):
			c = (rest[0]-'0')*100 + (rest[1]-'0')*10 + rest[2] - '0'
			i += 3
		default:
			c = rest[0]
			i++
		}
		b = append(b, c)
	}
	return string(b)
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }
