-- A message is refused at each event. The connection goes on with the next one.

local conn = open()
hello(conn)

local commands = {
	{ "envelope-from", "mailfrom" },
	{ "envelope-recipient", "rcptto", "<one@to.example.org>" },
	{ "data", "data" },
	{ "header", "header", "Subject", "a subject" },
	{ "end-of-header", "eoh" },
	{ "body", "bodystring", "a line\r\n" },
	{ "end-of-message", "eom" },
}

-- attempt sends a message up to the command that answers otherwise.
local function attempt(plan, answer, last)
	for _, c in ipairs(commands) do
		local arguments = { table.unpack(c, 3) }
		if c[1] == "envelope-from" then
			arguments = { "<" .. plan .. ".lua@from.example.org>" }
		end
		if c[1] == last then
			step(conn, answer, c[2], table.unpack(arguments))
			return
		end
		go(conn, c[2], table.unpack(arguments))
	end
end

for _, c in ipairs(commands) do
	for verdict, answer in pairs({
		reject = SMFIR_REPLYCODE,
		tempfail = SMFIR_REPLYCODE,
		discard = SMFIR_DISCARD,
		accept = SMFIR_ACCEPT,
	}) do
		attempt(verdict .. "-at-" .. c[1], answer, c[1])
	end
end

-- The text of a refusal shows at the end of the message: every line has both
-- codes, and "%" is doubled.
message(conn, "reject-at-end-of-message")
step(conn, SMFIR_REPLYCODE, "eom")
expect(conn, MT_SMTPREPLY, "550-5.7.1 refused at end-of-message\r\n550 5.7.1 100%% of it")
message(conn, "tempfail-at-end-of-message")
step(conn, SMFIR_REPLYCODE, "eom")
expect(conn, MT_SMTPREPLY, "451-4.7.1 not now at end-of-message\r\n451 4.7.1 100%% of it")
mt.disconnect(conn)
