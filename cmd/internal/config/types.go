package config

import (
	"millstream/handlers"
	"millstream/handlers/access"
	"millstream/handlers/archive"
	"millstream/handlers/dnsbl"
	"millstream/handlers/greylist"
	"millstream/handlers/header"
	"millstream/handlers/policy"
	"millstream/handlers/ratelimit"
	"millstream/handlers/reply"
	"millstream/handlers/rule"
)

// Types returns the types of handlers that the program has.
func Types() []Type {
	return []Type{
		{
			Name: "access", Doc: "Accepts and refuses mail by lists of clients, host names, senders and recipients.",
			New: func() Settings { return access.Defaults() },
			Build: build(func(s *access.Settings, env *Env) (handlers.Handler, error) {
				return access.New(s, env.Lists)
			}),
		},
		{
			Name: "archive", Doc: "Keeps a copy of each mail, in a maildir or with a recipient who is added.",
			New: func() Settings { return archive.Defaults() },
			Build: build(func(s *archive.Settings, env *Env) (handlers.Handler, error) {
				return archive.New(s, env.Log)
			}),
		},
		{
			Name: "dnsbl", Doc: "Asks lists in the DNS about clients, their names, senders and hosts in the text, and acts on the sum.",
			Failing: policy.Continue, // mail is not to wait for lists
			New:     func() Settings { return dnsbl.Defaults() },
			Build: build(func(s *dnsbl.Settings, env *Env) (handlers.Handler, error) {
				r, err := env.Resolver()
				if err != nil {
					return nil, err
				}
				return dnsbl.New(s, r, env.Log, env.Meter)
			}),
		},
		{
			Name: "greylist", Doc: "Has recipients of senders that it has not met refused for now, and knows those that come again.",
			New: func() Settings { return greylist.Defaults() },
			Build: build(func(s *greylist.Settings, env *Env) (handlers.Handler, error) {
				return greylist.New(s, env.Names, env.Store, env.meter("millstream/handlers/greylist"), env.Log, env.label())
			}),
		},
		{
			Name: "header", Doc: "Adds, inserts, changes, renames and removes header fields.",
			New: func() Settings { return new(header.Config) },
			Build: build(func(c *header.Config, env *Env) (handlers.Handler, error) {
				return header.New(*c, func(source string) (header.Text, error) { return env.Text(source) })
			}),
		},
		{
			Name: "ratelimit", Doc: "Limits messages, recipients and bytes in some time, by user, client, sender or recipient.",
			New: func() Settings { return ratelimit.Defaults() },
			Build: build(func(s *ratelimit.Settings, env *Env) (handlers.Handler, error) {
				return ratelimit.New(s, env.Names, env.Store, env.meter("millstream/handlers/ratelimit"), env.Log, env.label())
			}),
		},
		{
			Name: "reply", Doc: "Answers each event of one stage with the same verdict.",
			New: func() Settings { return new(reply.Config) },
			Build: build(func(c *reply.Config, env *Env) (handlers.Handler, error) {
				return reply.New(*c, func(source string) (reply.Text, error) { return env.Text(source) })
			}),
		},
		{
			Name: "rule", Doc: "Decides about mail by expressions, and changes it.",
			New: func() Settings { return rule.Defaults() },
			Build: build(func(s *rule.Settings, env *Env) (handlers.Handler, error) {
				return rule.New(s, env.Names, env.Log)
			}),
		},
		{
			Name: "subject", Doc: "Puts a tag in front of the Subject.",
			New: func() Settings { return rule.SubjectDefaults() },
			Build: build(func(s *rule.SubjectSettings, env *Env) (handlers.Handler, error) {
				return rule.NewSubject(s, env.Names, env.Log)
			}),
		},
	}
}

// build returns the Build of a type whose settings are a C.
func build[C Settings](f func(C, *Env) (handlers.Handler, error)) func(Settings, *Env) (handlers.Handler, error) {
	return func(s Settings, env *Env) (handlers.Handler, error) { return f(s.(C), env) }
}
