// Package memory keeps counters and marks in the memory of this process. A file can
// bring them over a restart.
//
// # What is kept where
//
// Counters and marks are in two tables of 256 parts each; a call locks one part for less
// than a microsecond. An entry takes about 160 bytes, the search structures included,
// and has no pointers, so that a garbage collection does not look at it. A hit allocates
// nothing. No goroutine runs but the one that writes the file, if there is one.
//
// # Limits
//
// Config.MaxEntries is the limit of each table: a flood of senders for a greylist does
// not push out the counters of users. A table that is full lets go of what would expire
// soonest, which is the least to lose: marks that have not passed a greylist go long
// before those that have, counters of minutes before those of days. The first time this
// happens the log says so, and the metric store.evicted counts it. Each of the 256 parts
// has its share of the limit, so the first entry may have to go a little before the
// whole table is full.
//
// Entries that have expired are removed when others come. A counter is kept until the
// window after its own has ended, since that may ask for it.
//
// # Over a restart
//
// With Config.Path a snapshot is written each Config.Interval and at Close, and read by
// Open. What came after the last snapshot is lost when the process is killed: at worst a
// minute of counts, and a greylist that asks somebody to come again. Windows and ends
// are times of day, so time goes on while nothing runs.
//
// No call waits for the disk. A part is copied under its lock, and the copies are
// written to a bbolt database by a goroutine of their own, those parts only that have
// changed. The file has 56 bytes for a counter, 40 for a mark and a checksum for each
// part, and grows to about twice of that. Its mode is 0600. It has no addresses in it:
// see package store.
//
// A file that cannot be used is an error of Open, which says what to do: one that
// another process has open, one of another program, one that was cut off or damaged.
// Such a file is not written to. A disk that is full later is an error in the log, once,
// and so is its end; the mail does not notice.
//
// # For the administrator
//
// Give each instance a file of its own, in a directory that survives a reboot, such as
// /var/lib/millstream/store.db. To begin anew stop millstream and remove the file. A
// million marks take some 160 MB of memory and 40 MB of disk; if store.evicted grows
// steadily, raise the limit.
package memory
