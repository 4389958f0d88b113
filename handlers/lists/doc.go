// Package lists has lists of networks, names, domains and mail addresses that are kept in
// files, and looks things up in them.
//
//	set := lists.NewSet(lists.Config{})
//	trusted, err := set.Add(lists.Spec{Name: "trusted", Kind: lists.Networks, Path: "/etc/millstream/trusted"})
//	...
//	if err := set.Open(); err != nil { // reads all files
//		return err // every mistake in them, with its file and line
//	}
//	defer set.Close()
//	trusted.HasAddr(client)
//
// # Files
//
// An entry stands on a line of its own. What stands behind it, after a space, is its
// value:
//
//	# offices
//	192.0.2.0/24
//	198.51.100.7   REJECT this one is broken
//	2001:db8::/32  # the new ones
//
// A line that begins with # is a comment, and so is what begins with # right behind the
// entry. Within a value # is text. A line that begins with a space is a mistake, since it
// is not the continuation that it would be elsewhere. Files are in UTF-8. A line may have
// 2048 bytes, a list five million entries; [Config] has other limits. Of entries that
// come twice the first counts.
//
// # Kinds
//
// What an entry may be, and what it fits, is a matter of the [Kind]:
//
//	networks   192.0.2.0/24      addresses in that network; of several that fit the smallest counts
//	           192.0.2.1         that address
//	names      mail.example.com  that name and no other
//	domains    example.com       that domain and all below it
//	           .example.com      all below it, but not itself
//	           [192.0.2.1]       an address in place of a name, as written
//	addresses  user@example.com  that address
//	           @example.com      all addresses in that domain
//	           example.com       all in that domain and below it
//	           .example.com      all below it
//	           user@             that local part in every domain
//	           <>                the sender of messages that have none
//
// A domain is looked up before those above it. An address is looked up in the order above,
// the whole first, the local part alone last.
//
// Letter case does not matter, nor does a dot at the end of a domain. Domains in other
// scripts are compared as A-labels (xn--...), whichever way they are written. A local part
// means the same in quotes and without, and a source route in front of it nothing. There
// are no extensions: user+tag@ is another address than user@. An IPv4 address within IPv6
// (::ffff:192.0.2.1) is the IPv4 address.
//
// # Values
//
// [As] gives a list a meaning for its values. It is worked out when the list is read, so
// that a value without one is a mistake in the file, told with its line.
//
// # When files change
//
// One goroutine looks at all files, every 10 seconds by default. A file that is another
// one, or has another time or size, is read when it has stayed so from one look to the
// next: a change counts after at most two intervals. The new list is built beside the old
// one and takes its place at once; look-ups never wait. A list is used wholly or not at
// all:
//
//   - a file that is missing or broken when the set is opened is an error of Open;
//   - a file that is missing or broken later changes nothing: the list stays as it was. The
//     log tells it once for each change, and again when it is mended; [Set.Status] tells it
//     as long as it lasts.
//
// Write a new file beside the old one and rename it. One that is written in place may be
// read half written, if the writing rests for an interval.
//
// # Cost
//
// A million entries on a machine with 2 cores, by the benchmarks of this package:
//
//	                                  memory   to read  to look up
//	networks, /20 to /32                56 MB    0.6 s     0.16 µs
//	names of 27 bytes                   38 MB    0.2 s     0.1 to 0.4 µs
//	addresses of 31 bytes               42 MB    0.3 s     0.1 to 0.3 µs
//
// A look-up does not block and, but for names in other scripts than ASCII, does not
// allocate. A domain takes two look-ups for each of its labels at most, and no more for
// one that is longer than a domain may be. While a file is read again the old list stays,
// so plan three times the memory for that moment. Names are kept in one piece of memory
// that the garbage collector need not look into. They take 11 bytes more than the name
// itself: a sorted list would take 8 and be two to three times slower, a map as fast as
// this would take 60.
package lists
