package e2e

import (
	"cmp"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol/script"
)

// A flowRig is a mail server with a recorder before the server under test.
type flowRig struct {
	mta      *mta
	sink     *sink
	version  string
	recorder *recorder
	filter   *atomic.Pointer[script.Script] // what the server under test does
}

func newFlowRig(t *testing.T, p program) *flowRig {
	t.Helper()
	if why := p.missing(); why != "" {
		t.Skip(why)
	}
	r := &flowRig{sink: startSink(t), filter: &atomic.Pointer[script.Script]{}}
	r.filter.Store(&script.Script{})
	_, addr := serve(t, "unix", func(*handlers.Session) handlers.Handler { return handlertest.Scripted(r.filter.Load()) })
	r.recorder = startRecorder(t, addr)
	r.mta = p.start(t, r.recorder.Addr(), r.sink.port)
	r.version = r.askVersion(t)
	return r
}

// greetingVersion finds the version in the greeting of Sendmail.
var greetingVersion = regexp.MustCompile(`Sendmail ([^/;]+)`)

func (r *flowRig) askVersion(t *testing.T) string {
	t.Helper()
	if r.mta.name == "postfix" {
		return postconf(t, filepath.Join(r.mta.dir, "conf"), "mail_version")
	}
	c, greeting := dial(t, r.mta.addr, "127.0.0.1")
	defer c.quit()
	v := greetingVersion.FindStringSubmatch(greeting.text)
	if v == nil {
		t.Fatalf("no version in %v", greeting)
	}
	return v[1]
}

// record runs a flow and returns its script.
func (r *flowRig) record(t *testing.T, f flow) string {
	t.Helper()
	does := cmp.Or(f.takes, "filter answers everything\n")
	for _, do := range f.does {
		does += "filter on " + do + "\n"
	}
	filter, err := script.Parse(f.name, does)
	if err != nil {
		t.Fatal(err)
	}
	r.filter.Store(filter)
	client := cmp.Or(f.from, flowClient)
	before := len(r.from(t, client))
	if f.run == nil {
		r.session(t, letter("one"))
	} else {
		f.run(t, r)
	}
	var after []*transcript
	eventually(t, "the end of the connection", func() bool {
		after = r.from(t, client)
		return len(after) > before
	})
	x := after[len(after)-1]
	about := "# " + f.about + "\n# Recorded from " + r.mta.name + " " + r.version + ".\n"
	return about + does + "\n" + x.text(r.version, "VERSION", "]:"+r.sink.port, "]:SINK")
}

// from returns the recordings of a client.
func (r *flowRig) from(t *testing.T, client string) (list []*transcript) {
	t.Helper()
	for _, tape := range r.recorder.recorded() {
		x, err := transcribe(tape)
		if err != nil {
			t.Fatal(err)
		}
		if x.from(client) {
			list = append(list, x)
		}
	}
	return list
}

// flowClient is the address of the SMTP client. Others look whether the mail
// server is there.
const flowClient = "127.0.0.2"

// greet begins an SMTP session. Whether that is refused is in the recording.
func (r *flowRig) greet(t *testing.T) *client {
	t.Helper()
	c, _ := dial(t, r.mta.addr, flowClient)
	c.hello("")
	return c
}

// session sends messages and quits.
func (r *flowRig) session(t *testing.T, messages ...mail) {
	t.Helper()
	c := r.greet(t)
	defer c.quit()
	for _, m := range messages {
		c.send(m)
	}
}

// letter returns a message of somebody to one@to.example.org.
func letter(from string) mail {
	return mail{
		from: "<" + from + "@from.example.org>",
		to:   []string{"<one@to.example.org>"},
		data: text(
			"From: "+from+"@from.example.org",
			"To: one@to.example.org",
			"Date: Thu, 1 Jan 2026 12:00:00 +0000",
			"Message-Id: <"+from+"@from.example.org>",
			"Subject: a letter",
			"\tof two lines",
			"",
			"a line",
			".",
			"the last line",
		),
	}
}

// localHost is what Postfix calls the client of a message that has none.
const localHost = "localhost"

// sendLocally sends a message with the sendmail command of Postfix.
func sendLocally(t *testing.T, r *flowRig) {
	m := letter("one")
	cmd := exec.Command("sendmail", "-C", r.mta.dir+"/conf", "-i", "-f", "one@from.example.org", "one@to.example.org")
	cmd.Stdin = strings.NewReader(strings.ReplaceAll(string(m.data), "\r\n", "\n"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sendmail: %v\n%s", err, out)
	}
}
