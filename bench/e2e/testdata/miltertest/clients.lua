-- Clients of every kind of address.

for _, address in ipairs({ "192.0.2.1", "2001:db8::1", "unspec" }) do
	local conn = open()
	go(conn, "conninfo", "client.example.org", address)
	go(conn, "helo", "client.example.org")
	message(conn, "none")
	go(conn, "eom")
	mt.disconnect(conn)
end

-- Clients that the filter refuses.
local conn = open()
step(conn, SMFIR_REPLYCODE, "conninfo", "client.example.org", "127.0.0.11")
mt.disconnect(conn)
conn = open()
go(conn, "conninfo", "client.example.org", "192.0.2.1")
step(conn, SMFIR_REPLYCODE, "helo", "tempfail.example.org")
mt.disconnect(conn)
