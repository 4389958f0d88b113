package config

import (
	"millstream/handlers"
	"millstream/handlers/access"
	"millstream/handlers/dnsbl"
	"millstream/handlers/header"
	"millstream/handlers/reply"
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
			Name: "dnsbl", Doc: "Asks lists in the DNS about clients, their names, senders and hosts in the text, and acts on the sum.",
			New: func() Settings { return dnsbl.Defaults() },
			Build: build(func(s *dnsbl.Settings, env *Env) (handlers.Handler, error) {
				r, err := env.Resolver()
				if err != nil {
					return nil, err
				}
				return dnsbl.New(s, r, env.Log, env.Meter)
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
			Name: "reply", Doc: "Answers each event of one stage with the same verdict.",
			New: func() Settings { return new(reply.Config) },
			Build: build(func(c *reply.Config, env *Env) (handlers.Handler, error) {
				return reply.New(*c, func(source string) (reply.Text, error) { return env.Text(source) })
			}),
		},
	}
}

// build returns the Build of a type whose settings are a C.
func build[C Settings](f func(C, *Env) (handlers.Handler, error)) func(Settings, *Env) (handlers.Handler, error) {
	return func(s Settings, env *Env) (handlers.Handler, error) { return f(s.(C), env) }
}
