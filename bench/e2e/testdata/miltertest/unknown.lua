-- Commands that the MTA does not know are answered, inside a message and out,
-- and change nothing.

local conn = open()
hello(conn)
step(conn, SMFIR_REPLYCODE, "unknown", "FROB the knob")
envelope(conn, "header-added")
step(conn, SMFIR_REPLYCODE, "unknown", "FROB")
content(conn)
go(conn, "eom")
expect(conn, MT_HDRADD, "X-Added", "by the filter")
mt.disconnect(conn)
