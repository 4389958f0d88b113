package main

import (
	"regexp"
	"strconv"
	"strings"

	"millstream/protocol"
)

// volatileTimes matches what tells a time, or is there once only: dates, times of day,
// seconds since 1970, durations, and long numbers in hexadecimal.
const volatileTimes = `(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?\b\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4}\b` +
	`|\b\d{4}-\d\d-\d\d(?:T|\b)|\b\d\d?:\d\d:\d\d\b|\b1\d{9}(?:\d{3})?\b` +
	`|\b\d+(?:\.\d+)?(?:ns|µs|us|ms|s)\b` +
	`|\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-|\b[0-9a-fA-F]{16,}\b`

var volatileText = regexp.MustCompile(volatileTimes)

// volatileHeader is volatileText with the number of a session.
func volatileHeader(session uint64) *regexp.Regexp {
	return regexp.MustCompile(volatileTimes + `|\b` + strconv.FormatUint(session, 10) + `\b`)
}

// steady returns how a line that a milter answers begins, up to where something may
// be another one each time: a time, a date, a number that nobody gives twice, or the
// number of the session in a header. It returns false if the whole line stays the same.
func steady(a *protocol.Answer, line string, session uint64) (begin string, ok bool) {
	line = strings.TrimPrefix(line, "<- ")
	from, volatile := strings.IndexByte(line, ' ')+1, volatileText
	switch a.Code {
	case protocol.CodeNegotiate:
		return "", false
	case protocol.CodeAddHeader, protocol.CodeInsertHeader, protocol.CodeChangeHeader:
		from = strings.Index(line, ": ") + 1
		volatile = volatileHeader(session)
	}
	place := volatile.FindStringIndex(line[from:])
	if place == nil {
		return "", false
	}
	return strings.TrimRight(line[:from+place[0]], " "), true
}
