-- The milter asks for what it needs, and for nothing that is not offered.

-- Everything is offered, as Postfix and Sendmail do today. The steps are the
-- third argument and the actions the fourth, whatever the manual says.
local conn = open()
local err = mt.negotiate(conn, 6, 0x1fffff, 0x1ff)
if err ~= nil then
	error(err)
end
for name, action in pairs({
	addheader = SMFIF_ADDHDRS,
	changeheader = SMFIF_CHGHDRS,
	changebody = SMFIF_CHGBODY,
	addrecipient = SMFIF_ADDRCPT,
	deleterecipient = SMFIF_DELRCPT,
	quarantine = SMFIF_QUARANTINE,
	changefrom = SMFIF_CHGFROM,
	addrecipientwithparameters = SMFIF_ADDRCPT_PAR,
}) do
	if not mt.test_action(conn, action) then
		error("not asked for: " .. name)
	end
end
for name, step in pairs({
	noconnect = SMFIP_NOCONNECT,
	nohelo = SMFIP_NOHELO,
	norcpt = SMFIP_NORCPT,
	nobody = SMFIP_NOBODY,
	nrheader = SMFIP_NR_HDR,
	nrbody = SMFIP_NR_BODY,
}) do
	if mt.test_option(conn, step) then
		error("asked for, though the filter answers it: " .. name)
	end
end
hello(conn)
mt.disconnect(conn)

-- An old MTA offers less: version 2, and only to add and change headers.
conn = open()
err = mt.negotiate(conn, 2, 0x7f, SMFIF_ADDHDRS + SMFIF_CHGHDRS)
if err ~= nil then
	error(err)
end
if not mt.test_action(conn, SMFIF_ADDHDRS) then
	error("not asked for: addheader")
end
for name, action in pairs({ changebody = SMFIF_CHGBODY, quarantine = SMFIF_QUARANTINE, changefrom = SMFIF_CHGFROM }) do
	if mt.test_action(conn, action) then
		error("asked for, though not offered: " .. name)
	end
end
hello(conn)
mt.disconnect(conn)
