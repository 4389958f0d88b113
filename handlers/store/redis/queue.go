package redis

import (
	"sync"

	"millstream/handlers/store/internal/local"
)

// A queue has the IDs of entries that Redis is to be told or asked about. An entry says
// itself whether it is in the queue, so it is there once.
type queue struct {
	mu    sync.Mutex
	ids   []local.ID
	limit int
}

// add adds an ID and reports whether there was room for it. Where there was none the
// entry tries again when it is next used.
func (q *queue) add(id local.ID) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.ids) >= q.limit {
		return false
	}
	q.ids = append(q.ids, id)
	return true
}

// take moves up to n IDs to the end of dst.
func (q *queue) take(dst []local.ID, n int) []local.ID {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, len(q.ids))
	dst = append(dst, q.ids[:n]...)
	q.ids = q.ids[:copy(q.ids, q.ids[n:])]
	return dst
}

// len returns how many IDs there are.
func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.ids)
}

// close empties the queue for good.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ids, q.limit = nil, 0
}
