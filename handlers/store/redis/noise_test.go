package redis_test

import (
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"millstream/handlers/store/redis"
	"millstream/handlers/store/redistest"
)

// noise is what may answer where Redis was expected.
var noise = map[string]string{
	"HTTP":           "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
	"SMTP":           "220 mx.example.com ESMTP\r\n",
	"random":         randomBytes(4096),
	"flood":          strings.Repeat("+OK\r\n", 10_000),
	"numbers":        strings.Repeat(":1\r\n", 10_000),
	"empty arrays":   strings.Repeat("*1\r\n*0\r\n", 10_000),
	"nulls":          strings.Repeat("$-1\r\n", 10_000),
	"endless string": "$99999999999\r\n",
	"negative":       "$-5\r\n",
	"deep":           strings.Repeat("*1\r\n", 100_000),
	"many":           strings.Repeat("*65536\r\n", 100_000),
	"no line":        "+" + strings.Repeat("x", 1<<20),
	"closed":         "",
}

func randomBytes(n int) string {
	random := rand.New(rand.NewPCG(5, 6))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return string(b)
}

// listen does with every connection as it is told, until the test ends.
func listen(t *testing.T, serve func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(c)
		}
	}()
	return l.Addr().String()
}

// Whatever answers, the mail goes on, and the log says once that this is no Redis.
func TestNoise(t *testing.T) {
	for name, text := range noise {
		for mode, cfg := range map[string]redis.Config{
			"single": {}, "cluster": {Cluster: true}, "sentinel": {Sentinel: "mymaster"},
		} {
			if mode == "cluster" && name != "HTTP" && name != "flood" && name != "empty arrays" && name != "deep" {
				continue // each takes a second: see open
			}
			t.Run(name+" as "+mode, func(t *testing.T) {
				cfg.Addresses = []string{listen(t, func(c net.Conn) {
					_, _ = c.Write([]byte(text)) // the other side may have had enough
					c.Close()
				})}
				cfg.Timeout, cfg.Retry = 100*time.Millisecond, time.Millisecond
				s, log := open(t, cfg)
				if m, made := s.SetNX(t.Context(), "mark", 3, time.Hour); !made || !m.Local || m.Value != 3 {
					t.Errorf("%+v, %v", m, made)
				}
				redistest.Eventually(t, "it is told", func() bool { return log.has(1, away) })
				if total := s.Incr(t.Context(), "user", 1, hour); total.N != 1 || !total.Local {
					t.Errorf("%+v", total)
				}
				if !log.has(0, back) {
					t.Errorf("the noise was taken for Redis:\n%s", log)
				}
			})
		}
	}
}
