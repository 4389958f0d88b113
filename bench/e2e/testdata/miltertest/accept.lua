-- Every command is answered, in two messages of one connection, and nothing is
-- changed.

local conn = open()
hello(conn)
for _ = 1, 2 do
	message(conn, "none")
	go(conn, "eom")
	for _, change in ipairs({ MT_HDRADD, MT_HDRINSERT, MT_HDRCHANGE, MT_HDRDELETE, MT_BODYCHANGE, MT_QUARANTINE }) do
		refuse(conn, change)
	end
end

-- The end of the message may be taken for all that follow.
message(conn, "accept-at-end-of-message")
step(conn, SMFIR_ACCEPT, "eom")
mt.disconnect(conn)
