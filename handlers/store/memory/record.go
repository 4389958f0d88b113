package memory

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"millstream/handlers/store/internal/local"
)

// A part of a snapshot is a checksum of what follows it, four bytes, and then records
// of one size each, all numbers with the highest byte first:
//
//	counter  hash 16  length 8  end 8  window 8  now 8  before 8
//	mark     hash 16            end 8  first 8   value 8
const (
	sumSize     = 4
	counterSize = 16 + 5*8
	markSize    = 16 + 3*8
)

var checksum = crc32.MakeTable(crc32.Castagnoli)

// errDamaged is a part of a snapshot that is not as it was written.
var errDamaged = errors.New("damaged")

// seal writes the checksum of a part that has room for it at its beginning.
func seal(part []byte) []byte {
	binary.BigEndian.PutUint32(part, crc32.Checksum(part[sumSize:], checksum))
	return part
}

// unseal returns the records of a part, each of size bytes.
func unseal(part []byte, size int) ([]byte, error) {
	if len(part) < sumSize || (len(part)-sumSize)%size != 0 {
		return nil, fmt.Errorf("%w: %d bytes are no whole records", errDamaged, len(part))
	}
	if binary.BigEndian.Uint32(part) != crc32.Checksum(part[sumSize:], checksum) {
		return nil, fmt.Errorf("%w: its checksum is wrong", errDamaged)
	}
	return part[sumSize:], nil
}

// appendCounter appends the record of a counter.
func appendCounter(b []byte, e *local.Entry[local.Counter]) []byte {
	b = append(b, e.ID.Hash[:]...)
	for _, n := range [...]int64{e.ID.Length, e.Ends, e.Value.Window, e.Value.Now, e.Value.Before} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return b
}

// readCounter returns the counter of a record.
func readCounter(b []byte) (e local.Entry[local.Counter]) {
	copy(e.ID.Hash[:], b)
	for i, n := range [...]*int64{&e.ID.Length, &e.Ends, &e.Value.Window, &e.Value.Now, &e.Value.Before} {
		*n = int64(binary.BigEndian.Uint64(b[16+8*i:]))
	}
	return e
}

// appendMark appends the record of a mark.
func appendMark(b []byte, e *local.Entry[local.Mark]) []byte {
	b = append(b, e.ID.Hash[:]...)
	for _, n := range [...]int64{e.Ends, e.Value.First, e.Value.Value} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return b
}

// readMark returns the mark of a record.
func readMark(b []byte) (e local.Entry[local.Mark]) {
	copy(e.ID.Hash[:], b)
	for i, n := range [...]*int64{&e.Ends, &e.Value.First, &e.Value.Value} {
		*n = int64(binary.BigEndian.Uint64(b[16+8*i:]))
	}
	return e
}
