-- A message is given up at each point, and the next one is as if it had not
-- been.

local conn = open()
hello(conn)

local function abort()
	local err = mt.abort(conn)
	if err ~= nil then
		error(err)
	end
end

abort() -- outside a message
go(conn, "mailfrom", "<header-added.lua@from.example.org>")
abort()
envelope(conn, "header-added")
abort()
abort() -- twice
envelope(conn, "header-added")
go(conn, "header", "Subject", "a subject")
abort()
message(conn, "header-added")
abort()

message(conn, "none")
go(conn, "eom")
refuse(conn, MT_HDRADD)

-- HELO gives a message up as well.
envelope(conn, "header-added")
go(conn, "helo", "another.example.org")
message(conn, "none")
go(conn, "eom")
refuse(conn, MT_HDRADD)
mt.disconnect(conn)
