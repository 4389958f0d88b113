package memory

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"millstream/handlers/store/internal/local"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// The file has one bucket for each table, with a value for each of its parts, and one
// that says what it is.
var (
	bucketAbout    = []byte("millstream store")
	bucketCounters = []byte("counters")
	bucketMarks    = []byte("marks")
	keyVersion     = []byte("version")
	version        = []byte("1")
)

// lockWait is how long another process may keep the file before that is an error: a
// former run that is just ending.
const lockWait = 2 * time.Second

// aside is how every file that is of no use is mended.
const aside = "put it aside; the store begins anew without it"

// open reads what the file has, if there is one, and opens it to be written.
//
// The file is mapped into memory: what is missing of it, or makes no sense, may show
// as a fault or a panic, which is an error here.
func (n *snapshots) open(path string) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v: %s", errDamaged, p, aside)
		}
	}()
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		if err := n.read(path, info.Size()); err != nil {
			return err
		}
	}
	if n.db, err = openFile(path, false); err != nil {
		return err
	}
	if err := n.db.Update(begin); err != nil {
		return errors.Join(err, n.db.Close())
	}
	return nil
}

// openFile opens a file of bolt.
func openFile(path string, readOnly bool) (*bolt.DB, error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{
		Timeout: lockWait, ReadOnly: readOnly, FreelistType: bolt.FreelistMapType,
	})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, errors.New("another process has it open: each millstream needs a file of its own")
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return nil, fmt.Errorf("it is damaged, or no snapshot of a store: %w: %s", err, aside)
	}
	return db, err
}

// read reads a file of a size into the tables. Nothing is written to it before it is
// known to be ours.
func (n *snapshots) read(path string, size int64) error {
	db, err := openFile(path, true)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // it was only read
	return db.View(func(tx *bolt.Tx) error {
		if tx.Size() > size {
			return fmt.Errorf("%w: it has %d bytes of %d: %s", errDamaged, size, tx.Size(), aside)
		}
		about := tx.Bucket(bucketAbout)
		if about == nil {
			if first, _ := tx.Cursor().First(); first != nil {
				return errors.New("it belongs to another program: give the store a file of its own")
			}
			return nil // no process came to write anything
		}
		if v := about.Get(keyVersion); string(v) != string(version) {
			return fmt.Errorf("its version is %q and this program reads %q: %s", v, version, aside)
		}
		now := time.Now().UnixNano()
		return errors.Join(n.counters.load(tx, now), n.marks.load(tx, now))
	})
}

// begin makes the buckets of a new file.
func begin(tx *bolt.Tx) error {
	if tx.Bucket(bucketAbout) != nil {
		return nil
	}
	for _, name := range [][]byte{bucketCounters, bucketMarks, bucketAbout} {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	return tx.Bucket(bucketAbout).Put(keyVersion, version)
}

// load reads the entries of a table that have not ended.
func (k *kind[V]) load(tx *bolt.Tx, now int64) error {
	b := tx.Bucket(k.bucket)
	if b == nil {
		return fmt.Errorf("%w: it has no %s: %s", errDamaged, k.bucket, aside)
	}
	return b.ForEach(func(part, value []byte) error {
		records, err := unseal(value, k.size)
		if err != nil {
			return fmt.Errorf("part %x of the %s: %w: %s", part, k.bucket, err, aside)
		}
		for ; len(records) > 0; records = records[k.size:] {
			if e := k.read(records); e.Ends > now {
				k.keep(&e, now)
			}
		}
		return nil
	})
}

// keep puts an entry of the file into its table.
func (k *kind[V]) keep(e *local.Entry[V], now int64) {
	shard := k.table.Lock(e.ID)
	defer shard.Unlock()
	kept, _ := shard.Put(e.ID, now, e.Ends)
	kept.Value = e.Value
}
