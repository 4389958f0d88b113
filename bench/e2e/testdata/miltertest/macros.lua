-- The filter sees the macros of each stage, and the newest value of each.

local conn = open()
mt.macro(conn, SMFIC_CONNECT, "j", "mx.example.org", "{client_addr}", "192.0.2.1")
go(conn, "conninfo", "client.example.org", "192.0.2.1")
go(conn, "helo", "client.example.org")
mt.macro(conn, SMFIC_MAIL, "i", "first", "{mail_addr}", "macros.lua@from.example.org")
go(conn, "mailfrom", "<macros.lua@from.example.org>")
mt.macro(conn, SMFIC_RCPT, "{rcpt_addr}", "one@to.example.org", "i", "second")
go(conn, "rcptto", "<one@to.example.org>")
go(conn, "data")
content(conn)
go(conn, "eom")
expect(conn, MT_HDRADD, "X-Macros", "mx.example.org 192.0.2.1 second macros.lua@from.example.org")

-- Those of the connection stay for the next message; those of the message go.
message(conn, "macros")
go(conn, "eom")
expect(conn, MT_HDRADD, "X-Macros", "mx.example.org 192.0.2.1  ")
mt.disconnect(conn)
