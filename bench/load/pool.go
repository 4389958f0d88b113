package load

// A pool is the sessions that wait for a message; the one that came last goes first.
// A session is in one of them at most.
type pool []*session

// put has a session wait.
func (p *pool) put(s *session) {
	s.pool, s.place = p, len(*p)
	*p = append(*p, s)
}

// take removes the last session of a pool that has some.
func (p *pool) take() *session {
	s := (*p)[len(*p)-1]
	s.unpool()
	return s
}

// unpool has a session wait no more, if it does.
func (s *session) unpool() {
	if s.pool == nil {
		return
	}
	list := *s.pool
	last := len(list) - 1
	list[s.place] = list[last]
	list[s.place].place = s.place
	list[last] = nil
	*s.pool, s.pool = list[:last], nil
}
