-- Runs one script with what is in lib.lua, and shows its error, as miltertest
-- itself does not:
--
--	miltertest -D socket=inet:8890@127.0.0.1 -D script=accept.lua -s run.lua
dofile("lib.lua")
local ok, trace = xpcall(dofile, debug.traceback, script)
if not ok then
	mt.echo(trace)
	error(trace)
end
