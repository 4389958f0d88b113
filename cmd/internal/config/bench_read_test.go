package config

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkRead is what it costs to read a file, and to find that nothing is wrong.
func BenchmarkRead(b *testing.B) {
	for _, n := range []int{1, 10, 50} {
		b.Run(fmt.Sprintf("handlers=%d", n), func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "millstream.toml")
			if err := os.WriteFile(file, []byte(fileOf(n, mixedHandlers...)), 0o600); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if c, err := Load(file, quietOptions); err != nil || len(c.Handlers) != n {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkReload is what it costs to read a file of 50 handlers again, to find what has
// changed, to make its handlers beside those that serve, and to close these.
func BenchmarkReload(b *testing.B) {
	file := []File{{"bench.toml", []byte(fileOf(50, mixedHandlers...))}}
	g, running := serving(b, fileOf(49, mixedHandlers...))
	var before *Generation
	b.ReportAllocs()
	for b.Loop() {
		next, err := Parse(file, quietOptions)
		if err != nil {
			b.Fatal(err)
		}
		if before == nil && len(Diff(running, next)) != 2 {
			b.Fatalf("changes: %v", Diff(running, next))
		}
		next.Keep(running)
		made, err := next.Build(quietEnv)
		if err != nil {
			b.Fatal(err)
		}
		if before == nil {
			before = g
		}
		if err := made.Open(before); err != nil {
			b.Fatal(err)
		}
		if before != g { // that one is closed when all is over
			err = before.Close()
		}
		if err != nil {
			b.Fatal(err)
		}
		before, running = made, next
	}
	if err := before.Close(); err != nil {
		b.Fatal(err)
	}
}
