package e2e

import (
	"io"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"millstream/handlers"
)

// A change is something that the filter does to a message, and what must come of
// it.
type change struct {
	name  string
	apply func(*handlers.Message)
	check check
}

// changes are all that a filter can do to a message but to hold it.
var changes = []change{
	{
		name:  "header-added",
		apply: func(m *handlers.Message) { m.AddHeader("X-Added", "by the filter") },
		check: headerEnds("X-Added: by the filter\r\n"),
	},
	{
		name:  "folded-header-added",
		apply: func(m *handlers.Message) { m.AddHeader("X-Added", "first line\n\tsecond line") },
		check: headerEnds("X-Added: first line\r\n\tsecond line\r\n"),
	},
	{
		name:  "header-inserted-at-top",
		apply: func(m *handlers.Message) { m.InsertHeader(0, "X-Inserted", "by the filter") },
		check: headerBegins("X-Inserted: by the filter\r\n"),
	},
	{
		name:  "header-changed",
		apply: func(m *handlers.Message) { m.ChangeHeader("Subject", 1, "new subject") },
		check: headerIs("Subject", "new subject"),
	},
	{
		name:  "second-header-changed",
		apply: func(m *handlers.Message) { m.ChangeHeader("X-Many", 2, "another") },
		check: headerIs("X-Many", "first", "another", "third"),
	},
	{
		name:  "header-deleted",
		apply: func(m *handlers.Message) { m.DeleteHeader("Subject", 1) },
		check: headerIs("Subject"),
	},
	{
		name: "headers-deleted-from-the-end",
		apply: func(m *handlers.Message) {
			m.DeleteHeader("X-Many", 3)
			m.DeleteHeader("X-Many", 1)
		},
		check: headerIs("X-Many", "second"),
	},
	{
		name:  "body-replaced",
		apply: func(m *handlers.Message) { m.ReplaceBody([]byte("new\r\n.\r\nbody\r\n")) },
		check: bodyIs("new\r\n.\r\nbody\r\n"),
	},
	{
		name:  "body-replaced-in-many-packets",
		apply: func(m *handlers.Message) { _, _ = io.Copy(m.Body(), strings.NewReader(longBody)) }, // the error sticks to m
		check: bodyIs(longBody),
	},
	{
		name:  "body-emptied",
		apply: func(m *handlers.Message) { m.ReplaceBody(nil) },
		check: bodyIs(""),
	},
	{
		name:  "recipient-added",
		apply: func(m *handlers.Message) { m.AddRecipient("<three@to.example.org>") },
		check: recipientsAre("one@to.example.org", "three@to.example.org", "two@to.example.org"),
	},
	{
		name:  "recipient-added-with-parameters",
		apply: func(m *handlers.Message) { m.AddRecipient("<three@to.example.org>", "NOTIFY=NEVER") },
		check: recipientsAre("one@to.example.org", "three@to.example.org NEVER", "two@to.example.org"),
	},
	{
		name:  "recipient-deleted",
		apply: func(m *handlers.Message) { m.DeleteRecipient("<one@to.example.org>") },
		check: recipientsAre("two@to.example.org"),
	},
	{
		name: "recipient-replaced",
		apply: func(m *handlers.Message) {
			m.DeleteRecipient("<one@to.example.org>")
			m.DeleteRecipient("<two@to.example.org>")
			m.AddRecipient("<three@to.example.org>")
		},
		check: recipientsAre("three@to.example.org"),
	},
	{
		name:  "sender-changed",
		apply: func(m *handlers.Message) { m.ChangeFrom("<changed@from.example.org>") },
		check: senderIs("changed@from.example.org", ""),
	},
	{
		name:  "sender-changed-with-parameters",
		apply: func(m *handlers.Message) { m.ChangeFrom("<changed@from.example.org>", "RET=HDRS") },
		check: senderIs("changed@from.example.org", smtp.DSNReturnHeaders),
	},
	{
		name:  "sender-emptied",
		apply: func(m *handlers.Message) { m.ChangeFrom("<>") },
		check: senderIs("", ""),
	},
	{
		name: "progress-before-a-change",
		apply: func(m *handlers.Message) {
			m.Progress()
			m.AddHeader("X-Added", "late")
			m.Progress()
		},
		check: headerEnds("X-Added: late\r\n"),
	},
	{
		name:  "everything",
		apply: changeEverything,
		check: func(t *testing.T, d *delivery) {
			headerBegins("X-Inserted: by the filter\r\n")(t, d)
			headerIs("X-Added", "by the filter")(t, d)
			headerIs("Subject", "new subject")(t, d)
			headerIs("X-Many", "second", "third")(t, d)
			bodyIs(longBody)(t, d)
			recipientsAre("three@to.example.org", "two@to.example.org")(t, d)
			senderIs("changed@from.example.org", "")(t, d)
		},
	},
}

// others are what the filter can do besides; their tests look at more than a
// delivery.
var others = []change{
	{
		name:  "quarantined",
		apply: func(m *handlers.Message) { m.Quarantine("held by a test") },
	},
	{
		name: "utf8",
		apply: func(m *handlers.Message) {
			m.AddHeader("X-Seen", "grüße von jürgen")
			m.AddRecipient("<søren@århus.example.org>")
		},
	},
}

// longBody needs several packets.
var longBody = strings.Repeat("a line of the new body\r\n", 10_000)

func changeEverything(m *handlers.Message) {
	m.AddHeader("X-Added", "by the filter")
	m.InsertHeader(0, "X-Inserted", "by the filter")
	m.ChangeHeader("Subject", 1, "new subject")
	m.DeleteHeader("X-Many", 1)
	m.ReplaceBody([]byte(longBody))
	m.AddRecipient("<three@to.example.org>")
	m.DeleteRecipient("<one@to.example.org>")
	m.ChangeFrom("<changed@from.example.org>")
}

// testChanges sends a message for each change.
func testChanges(t *testing.T, r *rig) {
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			c.check(t, r.pass(t, c.name))
		})
	}
}
