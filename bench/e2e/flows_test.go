package e2e

import (
	"flag"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol/script"
)

var update = flag.Bool("update", false, "rewrite the recorded flows to what really comes")

// TestFlows runs each flow through each mail server, and compares what comes with
// what is kept of it. A difference is a mail server that does otherwise than the
// one that was recorded: it should be understood, then kept with -update.
func TestFlows(t *testing.T) {
	for _, p := range []program{postfix, sendmail} {
		t.Run(p.name, func(t *testing.T) {
			r := newFlowRig(t, p)
			for _, f := range flows {
				if f.only == "" || f.only == p.name {
					t.Run(f.name, func(t *testing.T) { testFlow(t, r, f) })
				}
			}
		})
	}
}

func testFlow(t *testing.T, r *flowRig, f flow) {
	r.mta.showLog(t)
	file := flowFile(r.mta.name, f.name)
	kept, err := os.ReadFile(file)
	if err != nil && !*update {
		t.Fatal(err)
	}
	old, now := flowLines(string(kept)), flowLines(r.record(t, f))
	pairs := align(old, now)
	if *update {
		rewriteFlow(t, file, pairs)
	} else if d := diff(pairs); d != "" {
		t.Errorf("%s is not what %s %s does now; - is in the file, + is what came\n%s", file, r.mta.name, r.version, d)
	}
}

// rewriteFlow keeps what came. It is read again, as everybody will.
func rewriteFlow(t *testing.T, file string, pairs []pair) {
	t.Helper()
	text := settled(pairs)
	s, err := script.Parse(file, text)
	if err != nil {
		t.Fatal(err)
	}
	if s.String() != text {
		t.Fatalf("%s reads otherwise than it was written", file)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// flowFile is where a flow is kept.
func flowFile(mta, name string) string { return filepath.Join("testdata", "flows", mta, name+".txt") }

// flowLines returns the lines of a script.
func flowLines(text string) []string {
	return slices.DeleteFunc(strings.SplitAfter(text, "\n"), func(line string) bool { return line == "" })
}

// TestKeptFlows plays each flow to the server under test, which must answer as it
// did when the flow was recorded.
func TestKeptFlows(t *testing.T) {
	files, err := filepath.Glob(flowFile("*", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no flows: %v", err)
	}
	var now atomic.Pointer[script.Script]
	_, addr := serve(t, "unix", func(*handlers.Session) handlers.Handler { return handlertest.Scripted(now.Load()) })
	for _, file := range files {
		s, err := script.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		if !slices.ContainsFunc(flows, func(f flow) bool { return f.name == name }) {
			t.Errorf("%s is the recording of no flow", file)
		}
		now.Store(s)
		t.Run(strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(file), "testdata/flows/"), ".txt"),
			func(t *testing.T) { playFlow(t, s, addr) })
	}
}

func playFlow(t *testing.T, s *script.Script, addr net.Addr) {
	c, err := net.Dial(addr.Network(), addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p := script.Player{Timeout: patience}
	_, differences := p.Play(s, script.NewConn(c))
	for _, d := range differences {
		t.Errorf("%s:%d:\nwant %v\n got %v", s.Name, d.Line, d.Want, d.Got)
	}
}
