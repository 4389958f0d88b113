-- What the scripts share. The address of the milter is in the global "socket".
-- A script ends with an error where something is not as it should be.

-- open connects to the milter.
function open()
	local conn = mt.connect(socket)
	if conn == nil then
		error("no connection to " .. socket)
	end
	return conn
end

-- step sends one command and checks the code of the reply.
function step(conn, want, command, ...)
	local err = mt[command](conn, ...)
	if err ~= nil then
		error(command .. ": " .. err)
	end
	local got = mt.getreply(conn)
	if got ~= want then
		error(string.format("%s: answered '%c', want '%c'", command, got // 1 | 0, want // 1 | 0))
	end
end

-- go is step for a command that lets things go on.
function go(conn, command, ...)
	step(conn, SMFIR_CONTINUE, command, ...)
end

-- hello says all that comes before a message.
function hello(conn)
	go(conn, "conninfo", "client.example.org", "192.0.2.1")
	go(conn, "helo", "client.example.org")
end

-- envelope begins a message that the filter treats by a plan.
function envelope(conn, plan)
	go(conn, "mailfrom", "<" .. plan .. ".lua@from.example.org>", "SIZE=100")
	go(conn, "rcptto", "<one@to.example.org>")
	go(conn, "rcptto", "<two@to.example.org>")
	go(conn, "data")
end

-- content sends a header and a body.
function content(conn)
	go(conn, "header", "Subject", "old subject")
	go(conn, "header", "X-Many", "first")
	go(conn, "header", "X-Many", "second")
	go(conn, "header", "X-Many", "third")
	go(conn, "eoh")
	go(conn, "bodystring", "a line\r\n")
	go(conn, "bodystring", "the last line\r\n")
end

-- message sends all of a message but its end.
function message(conn, plan)
	envelope(conn, plan)
	content(conn)
end

-- expect checks that a change was made at the end of the message.
function expect(conn, what, ...)
	if not mt.eom_check(conn, what, ...) then
		error("not done: " .. table.concat({ ... }, ", "))
	end
end

-- refuse checks that a change was not made.
function refuse(conn, what, ...)
	if mt.eom_check(conn, what, ...) then
		error("done: " .. table.concat({ ... }, ", "))
	end
end
