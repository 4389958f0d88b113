package memory

import bolt "go.etcd.io/bbolt"

// Database returns the file of a store.
func Database(s *Store) *bolt.DB { return s.snapshots.db }
