package actors

import (
	"bytes"
	"slices"
	"time"
)

// add shows an event, or keeps it. It returns false if there is no room for it.
func (t *tapped) add(k TapKind, packet []byte, joined bool) bool {
	e := TapEvent{Kind: k, Session: t.begin.Session, At: time.Since(t.began), Joined: joined, Packet: packet}
	if !t.room(e.size()) {
		t.leaveOut(packet)
		return false
	}
	e.Missed, e.MissedBytes = t.missed, t.missedBytes
	t.missed, t.missedBytes = 0, 0
	e.Packet = bytes.Clone(packet)
	if t.matched {
		t.tap.push(e)
		return true
	}
	t.kept = append(t.kept, e)
	t.size += e.size()
	return true
}

// room makes room for an event.
func (t *tapped) room(size int) bool {
	if !t.matched && t.size+size > t.tap.keep {
		t.forgetMessages()
		if t.size+size > t.tap.keep {
			return false
		}
	}
	return t.tap.reserve(size)
}

// leaveOut counts a packet that there is no room for; nil is none.
func (t *tapped) leaveOut(packet []byte) {
	if packet != nil {
		t.missed++
		t.missedBytes += len(packet)
	}
}

// forgetMessages leaves out the messages before the one under way.
func (t *tapped) forgetMessages() {
	if t.first == t.last {
		return
	}
	n, size := t.cut(t.first, t.last)
	t.last = t.first
	if t.last < len(t.kept) {
		next := &t.kept[t.last]
		next.Missed += n
		next.MissedBytes += size
		return
	}
	t.missed += n
	t.missedBytes += size
}

// forgetClient drops all of an SMTP client that is not looked for.
func (t *tapped) forgetClient() {
	if t.client >= 0 {
		t.cut(t.client, len(t.kept))
	}
	t.client, t.first, t.last, t.message = -1, -1, -1, false
	t.missed, t.missedBytes, t.gap = 0, 0, false
}

// cut takes events out of what is kept, and returns how many packets were in them or
// missed before them, and how large those were.
func (t *tapped) cut(from, to int) (packets, size int) {
	freed := 0
	for _, e := range t.kept[from:to] {
		packets += 1 + e.Missed
		size += len(e.Packet) + e.MissedBytes
		freed += e.size()
	}
	t.kept = slices.Delete(t.kept, from, to)
	t.size -= freed
	t.tap.release(freed)
	return packets, size
}

// end ends the session: who saw it begin is told, others have their room back.
func (t *tapped) end() {
	if !t.matched {
		t.tap.release(t.size + 2*tapEventSize)
		t.kept = nil
		return
	}
	t.tap.push(TapEvent{
		Kind: TapEnd, Session: t.begin.Session, At: time.Since(t.began),
		Missed: t.missed, MissedBytes: t.missedBytes,
	})
}
