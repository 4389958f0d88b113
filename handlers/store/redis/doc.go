// Package redis keeps counters and marks in the memory of this process, and shares them
// through a Redis or Valkey with other machines. That may be a single server, a cluster,
// or a master that sentinels know.
//
// # What is kept where
//
// Every machine has tables of its own, like those of package memory, and decides from
// them. A goroutine tells Redis what is new and asks what is new elsewhere: Config.Flush
// after the first change, for all changes since, in one go. All keys expire by
// themselves.
//
//	PREFIXc:HASH:LENGTH:NUMBER  a counter in a window: a hash with a field for each
//	                            machine, which is what that machine has counted in all;
//	                            the length is in milliseconds, the number is the time
//	                            since 1970 over the length
//	PREFIXm:HASH                a mark: when it was made, in milliseconds since 1970,
//	                            and its value
//	PREFIXalive                 written when a machine connects
//
// A machine tells how much it has counted, not how much more. So it does no harm to tell
// it twice, which happens when an answer is lost, and it is told anew to a Redis that has
// lost its data. A machine that restarts is a new one to Redis; what it had counted
// before stays.
//
// A mark that is not known on this machine is asked for, and somebody waits: at most
// Config.Timeout. From then on there is a copy, which is asked for anew in the background
// when it is used and older than Config.Refresh. So a Set shows on other machines within
// that time; until then they answer with the former value.
//
// # How exact it is
//
// A decision is made from what is known here: what this machine has counted, and what
// others had at the last exchange. With N machines, a limit can be overrun by what the
// N-1 others count between two exchanges, and no more. An exchange takes Config.Flush and
// a round trip; what one machine counts shows to another after one exchange of each. So
// at 5 ms and a round trip of 1 ms, four machines that take ten messages a second each
// from one user overrun his limit by less than one message. A counter that a machine has
// not used in its window begins there with what that machine knows, nothing, for the time
// of one exchange.
//
// The clocks of the machines have to agree to much less than the length of the windows,
// as those that run NTP do.
//
// # When Redis is away
//
// An error, an answer that makes no sense, or none within Config.Timeout is a failure.
// The connection is closed, nothing is lost, and who waits is answered from here. Of a
// Redis that hangs this is known after one time-out: nobody who comes then waits for it.
//
// After three failures in a row Redis counts as away. The log says so once, with the
// reason, the metric store.fallback becomes 1, nobody waits any more, and answers are
// Local. Redis is tried again each Config.Retry, by connecting, writing a key and telling
// what there is to tell. When that succeeds, the log and the metric say so.
//
//	away        this machine goes on alone, with all that it knows
//	slow        as away, if it is slower than the time-out; else only who asks for a new
//	            mark notices
//	full        as away, if it refuses to write ("OOM"); where it evicts keys instead,
//	            those in use are told anew
//	read-only   as away: a replica, or a master that has become one; sentinels and nodes
//	            of a cluster are asked anew at each connection
//	restarted   what is in use is told anew, in full; marks that no machine has used in
//	            the meantime come back when they are used
//	not Redis   as away; the log says what it looked like
//
// What was counted while Redis was away is told when it is back, for the windows that
// are still of interest, and so are marks that were made: the first machine to tell of
// one wins. What was Set wins over what was made. If more was changed than
// Config.MaxEntries, the rest is told when it is next used.
//
// # Limits
//
// Config.MaxEntries is the limit of each table on this machine, as in package memory; an
// entry takes about 220 bytes. In Redis a counter takes about 130 bytes and 30 for each
// machine, a mark about 140. No more than 250 counters and 250 marks are told in one
// exchange. No more than a thousand calls wait for the next one; those that would be too
// many are answered from here.
//
// # For the administrator
//
// Redis needs no persistence for this, and some 140 MB for each million of marks. Set
// maxmemory with the policy volatile-ttl, which drops what expires soonest. Machines that
// share have the same addresses, prefix and limits. The user needs the rights that
// [Commands] has, to keys that begin with the prefix:
//
//	ACL SETUSER millstream on >SECRET ~millstream:* +auth +hello +select +ping +hset +hgetall +pexpire +set +get +pttl
//
// Alert when store.fallback stays 1: mail goes on, but each machine has limits and a
// greylist of its own. To forget a counter or a mark, stop all machines first, since each
// of them would bring it back.
package redis
