package memory_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"
	"go.uber.org/goleak"

	"millstream/handlers/store/memory"
)

// fill counts and marks n keys each.
func fill(ctx context.Context, s *memory.Store, n int) {
	for i := range n {
		key := fmt.Sprint("key", i)
		s.Incr(ctx, key, int64(i), hour)
		s.SetNX(ctx, key, int64(i), time.Hour)
	}
}

// written returns the path of a file with n counters and n marks.
func written(t *testing.T, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store.db")
	s, err := memory.Open(memory.Config{Path: path, Interval: -1})
	if err != nil {
		t.Fatal(err)
	}
	fill(t.Context(), s, n)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// What is known survives a restart, but for what has ended in between. Time passes as
// the test wants it to.
func TestRestart(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	path := filepath.Join(t.TempDir(), "store.db")
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		s, err := memory.Open(memory.Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		first, _ := s.SetNX(ctx, "lasting", 1, 48*time.Hour)
		s.Set(ctx, "lasting", 2, 48*time.Hour)
		s.SetNX(ctx, "ended", 1, time.Minute)
		s.Incr(ctx, "user", 7, hour)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		if s, err = memory.Open(memory.Config{Path: path}); err != nil {
			t.Fatal(err)
		}
		mark, ok := s.Get(ctx, "lasting")
		if !ok || mark.Value != 2 || !mark.First.Equal(first.First) || mark.Local {
			t.Errorf("the mark is %+v, %v", mark, ok)
		}
		if _, ok := s.Get(ctx, "ended"); ok {
			t.Error("a mark came back after its end")
		}
		if n := s.Incr(ctx, "user", 1, hour).N; n != 8 {
			t.Errorf("%d is counted, want 8", n)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
	goleak.VerifyNone(t, leaks)
}

// A process that is killed loses what came after its last snapshot. Here the file is
// taken as it is while the store runs.
func TestInterval(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	copied := filepath.Join(t.TempDir(), "copy.db")
	synctest.Test(t, func(t *testing.T) {
		s := open(t, memory.Config{Path: path, Interval: time.Minute})
		fill(t.Context(), s, 100)
		time.Sleep(61 * time.Second)
		synctest.Wait()
		s.SetNX(t.Context(), "late", 0, time.Hour)
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied, file, 0o600); err != nil {
			t.Fatal(err)
		}
		again := open(t, memory.Config{Path: copied, Interval: -1})
		if n := again.Incr(t.Context(), "key99", 0, hour).N; n != 99 {
			t.Errorf("%d is counted, want 99", n)
		}
		if _, ok := again.Get(t.Context(), "late"); ok {
			t.Error("a mark was in the snapshot before it was made")
		}
	})
}

func TestLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	open(t, memory.Config{Path: path})
	_, err := memory.Open(memory.Config{Path: path})
	if err == nil || !strings.Contains(err.Error(), "another process has it open") || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
}

// foreign are files that no store has written.
var foreign = map[string]struct {
	make func(t *testing.T, path string)
	want string
}{
	"text": {func(t *testing.T, path string) {
		write(t, path, bytes.Repeat([]byte("# a mailbox, by mistake\n"), 1000))
	}, "no snapshot of a store"},
	"short": {func(t *testing.T, path string) { write(t, path, []byte("x")) }, "no snapshot of a store"},
	"of another program": {func(t *testing.T, path string) {
		edit(t, path, func(tx *bolt.Tx) error { _, err := tx.CreateBucket([]byte("etcd")); return err })
	}, "another program"},
	"of another version": {func(t *testing.T, path string) {
		edit(t, path, func(tx *bolt.Tx) error {
			b, err := tx.CreateBucket([]byte("millstream store"))
			if err != nil {
				return err
			}
			return b.Put([]byte("version"), []byte("77"))
		})
	}, `its version is "77"`},
	"directory": {func(t *testing.T, path string) {
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}, "is a directory"},
}

func TestForeign(t *testing.T) {
	for name, tt := range foreign {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "store.db")
			tt.make(t, path)
			before, _ := os.ReadFile(path)
			_, err := memory.Open(memory.Config{Path: path})
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if after, _ := os.ReadFile(path); name == "text" && !bytes.Equal(before, after) {
				t.Error("the file of another was changed")
			}
		})
	}
}

// A file that was cut off is an error, unless nothing stood in what is missing; it is
// never a crash, and it leaves nothing open.
func TestTorn(t *testing.T) {
	whole, err := os.ReadFile(written(t, 3000))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "torn.db")
	failed := 0
	for size := len(whole) - 1; size > 0; size -= max(1, len(whole)/50) {
		write(t, path, whole[:size])
		s, err := memory.Open(memory.Config{Path: path, Interval: -1})
		if err != nil {
			if failed++; !strings.Contains(err.Error(), path) {
				t.Errorf("cut off at %d: error %v does not name the file", size, err)
			}
			continue
		}
		if n := s.Incr(t.Context(), "key2999", 0, hour).N; n != 2999 {
			t.Errorf("cut off at %d: %d is counted", size, n)
		}
		if err := s.Close(); err != nil {
			t.Errorf("cut off at %d: %v", size, err)
		}
	}
	if failed < 25 {
		t.Errorf("%d of 50 files that were cut off are errors", failed)
	}
	if write(t, path, whole); opens(t, path) != nil { // nothing still has the lock
		t.Error("the whole file cannot be opened")
	}
}

// A byte that is wrong in a record is found.
func TestDamaged(t *testing.T) {
	path := written(t, 10)
	edit(t, path, func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte("marks"))
		part, value := b.Cursor().First()
		if value[len(value)-1]++; part == nil {
			t.Fatal("there are no marks")
		}
		return b.Put(part, bytes.Clone(value))
	})
	if err := opens(t, path); err == nil || !strings.Contains(err.Error(), "damaged: its checksum is wrong") {
		t.Errorf("error %v", err)
	}
}

// That snapshots cannot be written is told, once, and so is that they are again.
func TestDiskFails(t *testing.T) {
	var log strings.Builder
	path := filepath.Join(t.TempDir(), "store.db")
	synctest.Test(t, func(t *testing.T) {
		s := open(t, memory.Config{Path: path, Interval: time.Minute, Log: slog.New(slog.NewTextHandler(&log, nil))})
		limitFile(t, memory.Database(s), 1) // as if the disk were full
		fill(t.Context(), s, 50_000)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		limitFile(t, memory.Database(s), 0)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if lines := strings.Count(log.String(), "\n"); lines != 2 ||
			strings.Count(log.String(), "no snapshot of the store could be written") != 1 ||
			strings.Count(log.String(), "snapshots of the store are written again") != 1 {
			t.Errorf("the log:\n%s", &log)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, memory.Config{Path: path})
		if n := s.Incr(t.Context(), "key49999", 0, hour).N; n != 49999 {
			t.Errorf("%d is counted, want 49999", n)
		}
	})
}

// limitFile sets how large a file may be, while nothing is written to it.
func limitFile(t *testing.T, db *bolt.DB, size int) {
	t.Helper()
	tx, err := db.Begin(true)
	if err != nil {
		t.Fatal(err)
	}
	db.MaxSize = size
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
}

// write writes a file.
func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// edit changes the file of a store behind its back.
func edit(t *testing.T, path string, f func(*bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Update(f); err != nil {
		t.Fatal(err)
	}
}

// opens returns the error of opening a file.
func opens(t *testing.T, path string) error {
	t.Helper()
	s, err := memory.Open(memory.Config{Path: path, Interval: -1})
	if err != nil {
		return err
	}
	return s.Close()
}
