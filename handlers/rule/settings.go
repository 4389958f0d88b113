package rule

import (
	"fmt"
	"log/slog"

	"millstream/handlers"
	"millstream/handlers/when"
)

// Settings are the rules of the filter. There are no others by default.
type Settings struct {
	Rules []Rule `toml:"rule" doc:"Rules, in the order in which they are asked. The first that holds ends them."`
}

// A Rule says what becomes of the clients, messages and recipients that an expression
// holds for. Texts may have expressions between {{ and }}.
type Rule struct {
	When     string `toml:"when,omitempty" doc:"An expression. Without it the rule is for all."`
	Continue bool   `toml:"continue,omitempty" doc:"Whether the rules after this one are asked too."`
	Required bool   `toml:"required,omitempty" doc:"Whether a message is refused if it cannot be changed as it should be."`

	Action   string `toml:"action,omitempty" enum:"accept,reject,tempfail,discard" doc:"What becomes of it. Without it the message goes on."`
	Code     int    `toml:"code,omitempty" min:"400" max:"599" doc:"SMTP code with reject and tempfail. Without it 554 and 451."`
	Enhanced string `toml:"enhanced,omitempty" doc:"Enhanced code with reject and tempfail. Without it 5.7.1 and 4.7.1."`
	Text     string `toml:"text,omitempty" doc:"What the SMTP client is told with reject and tempfail, in one line or more."`

	AddHeaders       []string `toml:"add_headers,omitempty" doc:"Headers to add, each as Name: text."`
	Subject          string   `toml:"subject,omitempty" doc:"A tag to put in front of the Subject."`
	Quarantine       string   `toml:"quarantine,omitempty" doc:"The reason to hold the message for."`
	Sender           string   `toml:"sender,omitempty" doc:"The new envelope sender; <> is the null sender."`
	AddRecipients    []string `toml:"add_recipients,omitempty" doc:"Recipients to add."`
	DeleteRecipients []string `toml:"delete_recipients,omitempty" doc:"Recipients to leave out, if the message has them."`
	RewriteRecipient string   `toml:"rewrite_recipient,omitempty" doc:"The address that the recipient under way is replaced by."`
}

// Defaults returns settings without rules.
func Defaults() *Settings { return &Settings{} }

// Check tells wrong what cannot be: the key, such as "rule[1].when", and what is wrong,
// beginning with line and column if it is in an expression. Names of networks, lists and
// handlers are taken as they are: whether there are such things is for [New] to say.
func (s *Settings) Check(wrong func(key, text string)) {
	s.Mistakes(&when.Names{Open: true}).Tell(wrong)
}

// Mistakes returns what is wrong, each with its key; nil for nothing. names may be nil.
func (s *Settings) Mistakes(names *when.Names) when.Mistakes {
	return build(s.Rules, names, ruleName).mistakes
}

// Needs returns what the rules have to be told. The filter has the events sent by itself;
// macros are asked for by who knows those of all handlers, and the results are of
// handlers that must stand in front. The error is that of [New].
func (s *Settings) Needs(names *when.Names) (when.Needs, error) {
	b := build(s.Rules, names, ruleName)
	return b.group.Needs(), b.mistakes.Err()
}

// New returns the filter. Names are the things that expressions may use, and may be nil.
// What an MTA does not allow is said in log; nil is the default one. The error joins a
// [*when.SettingError] for each mistake, behind which is a [*when.Error] if it is in an
// expression.
func New(s *Settings, names *when.Names, log *slog.Logger) (handlers.Handler, error) {
	b := build(s.Rules, names, ruleName)
	if err := b.mistakes.Err(); err != nil {
		return nil, err
	}
	return newFilter(b, log), nil
}

// ruleName returns what a rule is called in messages.
func ruleName(i int) string { return fmt.Sprintf("rule[%d]", i) }
