-- The MTA leaves at each point, politely and not. The next connection is fine.

for _, polite in ipairs({ true, false }) do
	for _, before in ipairs({
		function() end,
		function(conn) hello(conn) end,
		function(conn) hello(conn) envelope(conn, "none") end,
		function(conn) hello(conn) message(conn, "none") end,
		function(conn) hello(conn) message(conn, "none") go(conn, "eom") end,
	}) do
		local conn = open()
		before(conn)
		mt.disconnect(conn, polite)
	end
end

local conn = open()
hello(conn)
message(conn, "header-added")
go(conn, "eom")
expect(conn, MT_HDRADD, "X-Added", "by the filter")
mt.disconnect(conn)
