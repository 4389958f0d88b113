package redis

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"millstream/handlers/store/internal/local"
)

// counterKey returns the name of the hash that has what each machine has counted in a
// window: PREFIXc:HASH:LENGTH:NUMBER, the length in milliseconds.
func (s *Store) counterKey(id local.ID, window int64) string {
	b := append(make([]byte, 0, 96), s.cfg.Prefix...)
	b = append(b, "c:"...)
	b = hex.AppendEncode(b, id.Hash[:])
	b = strconv.AppendInt(append(b, ':'), id.Length/int64(time.Millisecond), 10)
	b = strconv.AppendInt(append(b, ':'), window, 10)
	return string(b)
}

// markKey returns the name of the string that is a mark: PREFIXm:HASH.
func (s *Store) markKey(id local.ID) string {
	b := append(make([]byte, 0, 64), s.cfg.Prefix...)
	b = append(b, "m:"...)
	return string(hex.AppendEncode(b, id.Hash[:]))
}

// formatMark returns what stands in Redis for a mark: when it was made, in milliseconds
// since 1970, and its value.
func formatMark(m local.Mark) string {
	b := strconv.AppendInt(make([]byte, 0, 32), m.First/int64(time.Millisecond), 10)
	return string(strconv.AppendInt(append(b, ' '), m.Value, 10))
}

// parseMark returns the mark that stands in Redis.
func parseMark(text string) (local.Mark, error) {
	first, value, ok := strings.Cut(text, " ")
	ms, err := strconv.ParseInt(first, 10, 64)
	v, bad := strconv.ParseInt(value, 10, 64)
	if !ok || err != nil || bad != nil || ms < 0 || ms > maxMilli {
		return local.Mark{}, fmt.Errorf("%q is no mark: does another program use the same prefix?", text)
	}
	return local.Mark{First: ms * int64(time.Millisecond), Value: v}, nil
}

// maxMilli is the last millisecond that is a number of nanoseconds, too.
const maxMilli = (1<<63 - 1) / int64(time.Millisecond)

// milliseconds returns how long it is from now to then, as Redis wants it.
func milliseconds(now, then int64) int64 {
	return max(1, (then-now)/int64(time.Millisecond))
}

// firstError returns the first answer that is an error.
func firstError(answers []rueidis.RedisResult) error {
	for _, a := range answers {
		if err := a.Error(); err != nil && !rueidis.IsRedisNil(err) {
			return err
		}
	}
	return nil
}

// readCounts returns what others have counted, and what Redis has of this machine.
func readCounts(answer rueidis.RedisResult, node string) (others, own int64, err error) {
	fields, err := answer.ToArray()
	if err != nil {
		return 0, 0, err
	}
	for i := 0; i+1 < len(fields); i += 2 {
		name, err := fields[i].ToString()
		if err != nil {
			return 0, 0, err
		}
		n, err := fields[i+1].AsInt64()
		if err != nil {
			return 0, 0, fmt.Errorf("what %q has counted is no number: does another program use the same prefix?: %w", name, err)
		}
		if name == node {
			own = n
		} else {
			others = local.Sum(others, n)
		}
	}
	return others, own, nil
}

// readMark returns the mark and its end of the answers to GET and PTTL; an end of zero
// if there is none.
func readMark(answers []rueidis.RedisResult, now int64) (m local.Mark, ends int64, err error) {
	text, err := answers[0].ToString()
	if rueidis.IsRedisNil(err) {
		return local.Mark{}, 0, nil
	}
	if err != nil {
		return local.Mark{}, 0, err
	}
	ttl, err := answers[1].AsInt64()
	if err != nil {
		return local.Mark{}, 0, err
	}
	if m, err = parseMark(text); err != nil || ttl <= 0 { // it ended between the two
		return local.Mark{}, 0, err
	}
	ttl = min(ttl, int64(local.Clamp(1<<63-1)/time.Millisecond))
	return m, now + ttl*int64(time.Millisecond), nil
}
