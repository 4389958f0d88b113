-- A message is held, with a reason.

local conn = open()
hello(conn)
message(conn, "quarantined")
go(conn, "eom")
expect(conn, MT_QUARANTINE, "held by a test")
message(conn, "none")
go(conn, "eom")
refuse(conn, MT_QUARANTINE)
mt.disconnect(conn)
