package load

// A timer is when a session is to be woken up.
type timer struct {
	at      int64 // nanoseconds of the run
	session *session
	turn    uint32 // of the session: it is over for another one
}

// timers is a heap of timers, the next one first.
type timers []timer

// next returns when the next timer is due; ok is false if there is none.
func (h *timers) next() (at int64, ok bool) {
	if len(*h) == 0 {
		return 0, false
	}
	return (*h)[0].at, true
}

// add puts a timer in its place.
func (h *timers) add(t timer) {
	*h = append(*h, t)
	list := *h
	for i := len(list) - 1; i > 0; {
		up := (i - 1) / 2
		if list[up].at <= list[i].at {
			break
		}
		list[up], list[i] = list[i], list[up]
		i = up
	}
}

// take removes the next timer.
func (h *timers) take() timer {
	list := *h
	first, last := list[0], len(list)-1
	list[0] = list[last]
	list = list[:last]
	*h = list
	for i := 0; ; {
		least := i
		for _, child := range []int{2*i + 1, 2*i + 2} {
			if child < last && list[child].at < list[least].at {
				least = child
			}
		}
		if least == i {
			return first
		}
		list[i], list[least] = list[least], list[i]
		i = least
	}
}
