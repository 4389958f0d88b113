// Package config reads the configuration of the program: one file of TOML, and more of
// them in a directory beside it.
//
//	[[listener]]
//	socket = "unix:/run/millstream/milter.sock"
//	group = "postfix"
//
//	[limits]
//	max_sessions = 5000
//	grace = "1m"
//
//	[store]
//	type = "redis"
//	urls = ["rediss://${REDIS_HOST:-127.0.0.1}:6380/0"]
//	password = "file:redis.password"
//
//	[networks]
//	internal = ["192.0.2.0/24"]
//
//	[lists]
//	partners = { file = "/etc/millstream/partners", kind = "addresses" }
//
//	[[handler]]
//	type = "header"
//	name = "mark"
//	when = '!in_network("internal")'
//	timeout = "2s"
//	on_error = "continue"
//	add = [{ name = "X-Queue", value = "{{queue_id}}" }]
//
// [Example] is a whole file, with all keys and their defaults. It is what the program
// serves if it is given none.
//
// # What a file may say
//
// Each key is known and written in one way, or it is a mistake. [Load] tells all
// mistakes at once in an [Error], each with its place and how to mend it: keys that are
// not known, with the one that may have been meant; values of another type or out of
// range; what cannot be together. A file with a mistake is not served in part.
//
// Files conf.d/*.toml beside the file are read after it, in the order of their names.
// Tables are joined, [[listener]] and [[handler]] added to those that are there; a key
// that is set twice is a mistake, so that the order decides about nothing but handlers.
//
// In strings ${NAME} is a variable of the environment, and ${NAME:-text} one that may be
// unset or empty; one that must be there and is not is a mistake. $$ is a dollar sign. A
// [Secret] may be the content of a file.
//
// # Lists
//
// [networks] and [lists] give names to lists of package lists. Their entries stand in the
// file, or one a line in a file of their own, which is read when the handlers are opened
// and again when it changes. A name belongs to one list of both tables. Handlers use them
// by name: those whose settings are a [Lister].
//
// # Expressions
//
// The key when of a handler is an expression of package when: the handler is asked if it
// holds. Texts of handlers may have expressions between {{ and }}. They use the names of
// [networks] and [lists], and the results of handlers that come before them, by the
// names of those: a handler that is asked for notes what it answers, and that it failed,
// whatever its policy and mode make of that. A mistake in an expression is told at its
// place in the file, and so is a name that is known too late for the handler: for that,
// handlers with an expression are made when the file is read, and closed again. Settings
// whose type compiles their expressions itself, or looks networks up, are a [Compiler].
//
// The MTA is asked for the macros that all of them use, [Generation.Macros].
//
// # Types of handlers
//
// A handler has its keys and those of its type side by side, in one table. What there
// are, [Types] says: a [Type] has a name, settings with their defaults and what they are
// for, what becomes of mail when it fails, a check, and a function that builds the
// handler; settings with expressions in their texts are a [Texter]. From the same tags of
// the settings come the decoding, the [Schema] and [Config.Dump].
//
// # Generations
//
// [Config.Build] makes the handlers of a configuration: a [Generation]. It has no effect
// but that, so a new one can be made while an old one serves, and be thrown away if it
// fails. [Generation.Open] opens what they need to serve, and [Generation.Close] closes it
// when their last session is over. Each generation has lists of its own, and expressions
// that ask these; the store goes from one to the next as long as it is the same.
//
// [Diff] tells what changes from one configuration to the next, and which of it a server
// takes up at its start alone; [Config.Keep] keeps that as it is.
package config
