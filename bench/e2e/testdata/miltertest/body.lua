-- The body comes in pieces and is replaced.

local conn = open()
hello(conn)

message(conn, "body-replaced")
go(conn, "eom")
expect(conn, MT_BODYCHANGE, "new\r\n.\r\nbody\r\n")

envelope(conn, "none")
go(conn, "eoh")
go(conn, "bodyrandom", 1000000)
go(conn, "eom")
refuse(conn, MT_BODYCHANGE)

-- No body at all.
envelope(conn, "body-emptied")
go(conn, "header", "Subject", "a subject")
go(conn, "eoh")
go(conn, "eom")
expect(conn, MT_BODYCHANGE, "")
mt.disconnect(conn)
