// Package reply answers each event of one stage with the same verdict. It is the type
// "reply" of a configuration:
//
//	[[handler]]
//	type = "reply"
//	name = "closed"
//	stage = "rcpt"
//	verdict = "reject"
//	code = 550
//	enhanced = "5.7.1"
//	text = "{{client_name}} sends no mail today."
//
//	[[handler]]
//	type = "reply"
//	name = "keep"
//	stage = "eom"
//	verdict = "quarantine"
//	text = "kept for the postmaster"
//
// These are the verdicts, and the stages at which they can be given:
//
//	continue    go on, and ask the handlers that follow      every stage
//	accept      take it, and ask no other handler            every stage
//	reject      refuse it for good                           every stage
//	tempfail    refuse it for now                            every stage
//	discard     take it, and drop it silently                from mail on
//	quarantine  take it, and hold it; text is the reason     eom
//
// It is the client at connect and helo, the recipient at rcpt, and the message at mail,
// data, header (each field), eoh (the end of the header) and eom (the end of the
// message). To accept or discard at rcpt is about the whole message.
//
// In a text {{ and }} are around expressions, which package when describes. What is not
// known yet at a stage is empty.
//
// # When something fails
//
// It needs nothing beside the session: no file, no DNS, no store, so nothing can be down. It
// fails where an expression in its text cannot be worked out, and to quarantine where the
// MTA holds no messages. on_error answers then, normally with a temporary failure. What is
// measured is the same for all handlers: milter.handler.duration has its calls by name
// and result, and traces have a span for each.
package reply

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"millstream/handlers"
	"millstream/protocol"
)

// Config says what is answered when.
type Config struct {
	Stage    string `toml:"stage" required:"true" enum:"connect,helo,mail,rcpt,data,header,eoh,eom" doc:"When to answer."`
	Verdict  string `toml:"verdict" required:"true" enum:"continue,accept,reject,tempfail,discard,quarantine" doc:"What to answer."`
	Code     int    `toml:"code,omitempty" min:"400" max:"599" doc:"SMTP code of a refusal: 5xx for reject, 4xx for tempfail. Without it 550 or 451 if there is a text."`
	Enhanced string `toml:"enhanced,omitempty" doc:"Enhanced status code of a refusal, such as 5.7.1."`
	Text     string `toml:"text,omitempty" doc:"What the client of a refusal is told, line by line; or the reason of a quarantine. Between {{ and }} are expressions."`
}

// Defaults of a refusal that has a text.
const (
	codeReject   = 550
	codeTempFail = 451
)

// defaultReason is the reason of a quarantine that has none.
const defaultReason = "held by the configuration"

// statuses are the verdicts that are answers of their own.
var statuses = map[string]handlers.Reply{
	"continue": handlers.Continue, "accept": handlers.Accept, "reject": handlers.Reject,
	"tempfail": handlers.TempFail, "discard": handlers.Discard,
	"quarantine": handlers.Continue,
}

// A stage is when to answer.
type stage struct {
	code protocol.Code
	on   func(func(*handlers.Session) handlers.Reply) handlers.Handler
}

// on returns a handler of one kind of event that does not look at it.
func on[E handlers.Answered](f func(*handlers.Session) handlers.Reply) handlers.Handler {
	return handlers.On(func(s *handlers.Session, _ E) handlers.Reply { return f(s) })
}

const stageEnd = "eom"

var stages = map[string]stage{
	"connect": {protocol.CodeConnect, on[*protocol.Connect]},
	"helo":    {protocol.CodeHelo, on[*protocol.Helo]},
	"mail":    {protocol.CodeMailFrom, on[*protocol.MailFrom]},
	"rcpt":    {protocol.CodeRcptTo, on[*protocol.RcptTo]},
	"data":    {protocol.CodeData, on[*protocol.Data]},
	"header":  {protocol.CodeHeader, on[*protocol.Header]},
	"eoh":     {protocol.CodeEndOfHeader, on[*protocol.EndOfHeader]},
	stageEnd:  {protocol.CodeEndOfMessage, on[*handlers.Message]},
}

const quarantine = "quarantine"

// Check tells wrong of what cannot be: the key, and what is wrong with it.
func (c *Config) Check(wrong func(key, text string)) {
	at, known := stages[c.Stage]
	answer, given := statuses[c.Verdict]
	if !known || !given {
		return // the words are told by their field
	}
	switch {
	case c.Verdict == quarantine && c.Stage != stageEnd:
		wrong("verdict", fmt.Sprintf("only a whole message can be held: write stage = %q", stageEnd))
	case !answer.Status().Answers(at.code, 0):
		wrong("verdict", fmt.Sprintf("there is no message to %s at %s: write stage = \"mail\" or a later one", c.Verdict, c.Stage))
	}
	if c.refuses() {
		c.checkRefusal(wrong)
		return
	}
	for key, given := range map[string]bool{"code": c.Code != 0, "enhanced": c.Enhanced != "", "text": c.Text != "" && c.Verdict != quarantine} {
		if given {
			wrong(key, fmt.Sprintf("verdict = %q has none: leave it out, or write verdict = \"reject\" or \"tempfail\"", c.Verdict))
		}
	}
	if c.Verdict == quarantine && strings.ContainsAny(c.Text, "\x00\r\n") {
		wrong("text", "the reason of a quarantine is one line")
	}
}

func (c *Config) checkRefusal(wrong func(key, text string)) {
	first := "5"
	if c.Verdict == "tempfail" {
		first = "4"
	}
	switch {
	case c.Code != 0 && fmt.Sprint(c.Code)[:1] != first:
		wrong("code", fmt.Sprintf("%d is no code for verdict = %q: write %sxx", c.Code, c.Verdict, first))
	case c.Enhanced != "" && !isEnhanced(c.Enhanced, c.code()):
		wrong("enhanced", fmt.Sprintf("%q is no enhanced code for %d: write one such as %s.7.1", c.Enhanced, c.code(), first))
	default:
		if _, err := protocol.NewSMTPReply(c.code(), c.Enhanced, c.lines()...); err != nil {
			wrong("text", fmt.Sprintf("%v: write at most 32 lines of 980 bytes without control characters", err))
		}
	}
}

func isEnhanced(enhanced string, code int) bool {
	_, err := protocol.NewSMTPReply(code, enhanced)
	return err == nil
}

// refuses reports whether there is something to tell the client.
func (c *Config) refuses() bool { return c.Verdict == "reject" || c.Verdict == "tempfail" }

func (c *Config) code() int {
	switch {
	case c.Code != 0:
		return c.Code
	case c.Verdict == "reject":
		return codeReject
	}
	return codeTempFail
}

// lines returns the text, without the line feed at the end that a text of several lines
// has in TOML.
func (c *Config) lines() []string { return strings.Split(strings.TrimSuffix(c.Text, "\n"), "\n") }

// A Text is a line of a reply, or a reason, with expressions in it: one line without
// control characters, and as a reply without what is not ASCII.
type Text interface {
	Reply(s *handlers.Session) (string, error)
	Header(s *handlers.Session) (string, error)
}

// Texts tells each of the texts that New compiles, the key that it is of, and where in
// the value it begins.
func (c *Config) Texts(each func(key string, at int, text string)) {
	at := 0
	for _, line := range c.lines() {
		each("text", at, line)
		at += len(line) + len("\n")
	}
}

// New returns the handler. compile compiles its texts; the error is from there, or that
// Check has something to tell.
func New(c Config, compile func(source string) (Text, error)) (handlers.Handler, error) {
	var errs []error
	c.Check(func(key, text string) {
		errs = append(errs, fmt.Errorf("%w: %s: %s", protocol.ErrInvalidArgument, key, text))
	})
	at, known := stages[c.Stage]
	answer, given := statuses[c.Verdict]
	if !known || !given {
		errs = append(errs, fmt.Errorf("%w: no stage %q or no verdict %q", protocol.ErrInvalidArgument, c.Stage, c.Verdict))
	}
	var texts []Text
	c.Texts(func(_ string, _ int, source string) {
		t, err := compile(source)
		texts, errs = append(texts, t), append(errs, err)
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	switch {
	case c.Verdict == quarantine:
		return handlers.On(func(s *handlers.Session, m *handlers.Message) handlers.Reply {
			reason, err := texts[0].Header(s)
			if err != nil {
				return handlers.Failed(err)
			}
			m.Quarantine(cmp.Or(reason, defaultReason))
			return answer
		}), nil
	case c.refuses() && (c.Code != 0 || c.Enhanced != "" || c.Text != ""):
		return at.on(func(s *handlers.Session) handlers.Reply { return c.refusal(s, answer, texts) }), nil
	}
	return at.on(func(*handlers.Session) handlers.Reply { return answer }), nil
}

// maxLine is how many bytes a line of a reply may have: those of [protocol.NewSMTPReply].
const maxLine = 980

// refusal returns an answer with its texts.
func (c *Config) refusal(s *handlers.Session, answer handlers.Reply, texts []Text) handlers.Reply {
	lines := make([]string, len(texts))
	for i, t := range texts {
		line, err := t.Reply(s)
		if err != nil {
			return handlers.Failed(err)
		}
		lines[i] = line[:min(len(line), maxLine)]
	}
	return answer.With(c.code(), c.Enhanced, lines...)
}
