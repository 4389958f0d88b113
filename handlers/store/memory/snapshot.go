package memory

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"time"

	bolt "go.etcd.io/bbolt"

	"millstream/handlers/store/internal/local"
)

// snapshots writes what a store knows to a file, now and then.
type snapshots struct {
	db       *bolt.DB
	log      *slog.Logger
	counters kind[local.Counter]
	marks    kind[local.Mark]
	failing  bool // the last one failed, and the log says so
	stop     chan struct{}
	done     chan struct{}
}

// A kind is one of the tables, and how it stands in the file.
type kind[V any] struct {
	bucket []byte
	table  *local.Table[V]
	size   int
	append func([]byte, *local.Entry[V]) []byte
	read   func([]byte) local.Entry[V]
	seen   [local.Shards]uint64 // how often a part was changed when it was last written
	copies []local.Entry[V]     // of one part
	parts  [atOnce][]byte       // in the file's form; bolt has them until a transaction ends
}

// openSnapshots opens the file, reads it into the tables of s, and begins to write.
func openSnapshots(cfg Config, s *Store) (*snapshots, error) {
	n := &snapshots{
		log: cfg.Log,
		counters: kind[local.Counter]{
			bucket: bucketCounters, table: s.counters, size: counterSize, append: appendCounter, read: readCounter,
		},
		marks: kind[local.Mark]{
			bucket: bucketMarks, table: s.marks, size: markSize, append: appendMark, read: readMark,
		},
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	if err := n.open(cfg.Path); err != nil {
		return nil, fmt.Errorf("file %s: %w", cfg.Path, err)
	}
	interval := cfg.Interval
	if interval == 0 {
		interval = time.Minute
	}
	go n.run(interval)
	return n, nil
}

// run writes a snapshot at each interval, until the store is closed.
func (n *snapshots) run(interval time.Duration) {
	defer close(n.done)
	var tick <-chan time.Time
	if interval > 0 {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		select {
		case <-n.stop:
			return
		case <-tick:
			n.report(n.write())
		}
	}
}

// report logs the first of several snapshots that fail, and that they are written
// again.
func (n *snapshots) report(err error) {
	switch {
	case err != nil && !n.failing:
		n.log.Error("no snapshot of the store could be written: what is new would not survive a restart",
			"path", n.db.Path(), "error", err)
	case err == nil && n.failing:
		n.log.Info("snapshots of the store are written again", "path", n.db.Path())
	}
	n.failing = err != nil
}

// atOnce is how many parts of each table are written in one transaction: all are in
// memory until it ends.
const atOnce = 16

// write writes the parts that have changed since they were last written.
func (n *snapshots) write() error {
	now := time.Now().UnixNano()
	for first := 0; first < local.Shards; first += atOnce {
		counters, marks := n.counters.seen, n.marks.seen
		err := n.db.Update(func(tx *bolt.Tx) error {
			return errors.Join(n.counters.write(tx, first, now), n.marks.write(tx, first, now))
		})
		if err != nil {
			n.counters.seen, n.marks.seen = counters, marks
			return err
		}
	}
	return nil
}

// write writes what has changed of a few parts, from the first one on. A part is
// locked while it is copied, and not while it is written.
func (k *kind[V]) write(tx *bolt.Tx, first int, now int64) error {
	b := tx.Bucket(k.bucket)
	for i := range atOnce {
		shard := first + i
		last := k.seen[shard]
		k.copies, k.seen[shard] = k.table.Copy(k.copies[:0], shard, now, last)
		if k.seen[shard] == last {
			continue
		}
		part := binary.BigEndian.AppendUint32(k.parts[i][:0], 0) // the checksum comes last
		for j := range k.copies {
			part = k.append(part, &k.copies[j])
		}
		k.parts[i] = seal(part)
		if err := b.Put(binary.BigEndian.AppendUint16(nil, uint16(shard)), part); err != nil {
			return err
		}
	}
	return nil
}

// close writes what has changed and closes the file.
func (n *snapshots) close() error {
	close(n.stop)
	<-n.done
	err := n.write()
	if err != nil {
		err = fmt.Errorf("the last snapshot: %w", err)
	}
	return errors.Join(err, n.db.Close())
}
