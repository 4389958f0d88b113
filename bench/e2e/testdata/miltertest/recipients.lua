-- Recipients are refused one by one, added and deleted.

local conn = open()
hello(conn)

go(conn, "mailfrom", "<none.lua@from.example.org>")
go(conn, "rcptto", "<one@to.example.org>")
step(conn, SMFIR_REPLYCODE, "rcptto", "<refused@to.example.org>")
go(conn, "rcptto", "<two@to.example.org>", "NOTIFY=NEVER")
go(conn, "data")
content(conn)
go(conn, "eom")

message(conn, "recipient-replaced")
go(conn, "eom")
expect(conn, MT_RCPTDELETE, "<one@to.example.org>")
expect(conn, MT_RCPTDELETE, "<two@to.example.org>")
expect(conn, MT_RCPTADD, "<three@to.example.org>")
mt.disconnect(conn)
