-- Headers are added, inserted, changed and deleted.

local conn = open()
hello(conn)

message(conn, "header-added")
go(conn, "eom")
expect(conn, MT_HDRADD, "X-Added", "by the filter")
if mt.getheader(conn, "X-Added", 0) ~= "by the filter" then
	error("header: " .. tostring(mt.getheader(conn, "X-Added", 0)))
end

message(conn, "folded-header-added")
go(conn, "eom")
expect(conn, MT_HDRADD, "X-Added", "first line\n\tsecond line")

message(conn, "header-inserted-at-top")
go(conn, "eom")
expect(conn, MT_HDRINSERT, "X-Inserted", "by the filter", 0)

message(conn, "header-changed")
go(conn, "eom")
expect(conn, MT_HDRCHANGE, "Subject", "new subject")

message(conn, "header-deleted")
go(conn, "eom")
expect(conn, MT_HDRDELETE, "Subject")
mt.disconnect(conn)
