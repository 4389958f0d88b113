package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/protocol"
)

// talkFilter refuses a sender, and adds a header to what others send.
func talkFilter(t *testing.T) (socket string) {
	t.Helper()
	return serveFilter(t,
		handlers.On(func(_ *handlers.Session, c *protocol.MailFrom) handlers.Reply {
			if string(c.Mailbox()) == "spam@example.com" {
				return handlers.Reject.With(550, "5.7.1", "not welcome")
			}
			return handlers.Continue
		}),
		handlers.On(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
			m.AddHeader("X-Test", "yes")
			return handlers.Accept
		}),
	)
}

const talkCommands = `# Two messages.
-> negotiate
-> mail <spam@example.com>
-> abort
-> macro mail i=Q1
+> mail <a@example.com>
-> end-of-message
-> quit
`

const talkScript = `# Two messages.
-> negotiate
<- negotiate 6 actions=all steps=no-connect|no-helo|no-rcpt|no-body|no-headers|no-end-of-header|no-unknown|no-data|skip
-> mail <spam@example.com>
<- reject 550 5.7.1 not welcome
-> abort
-> macro mail i=Q1
+> mail <a@example.com>
<- continue
-> end-of-message
<- add-header X-Test: yes
<- accept
-> quit
<- close
`

// talkFile returns a file with a script in it.
func talkFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script.txt")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestTalk plays scripts that the milter keeps to.
func TestTalk(t *testing.T) {
	socket := talkFilter(t)
	r := runMillstream(t, talkScript, "talk", "-p", socket, "-")
	if r.status != 0 || r.errOut != "" {
		t.Errorf("exit status %d: %s", r.status, r.errOut)
	}
	dialog := regexp.MustCompile(`(?m)^ +\d+\.\d{3}  `).ReplaceAllString(r.out, "")
	if want := strings.TrimPrefix(talkScript, "# Two messages.\n"); dialog != want {
		t.Errorf("dialog\n%s", r.out)
	}
	first, second := talkFile(t, talkScript), talkFile(t, "-> close\n")
	r = runMillstream(t, "", "talk", "-p", socket, first, second)
	r.has(t, first+"\n", second+"\n")
	if r.status != 0 {
		t.Errorf("exit status %d: %s", r.status, r.errOut)
	}
}

// TestTalkRecord makes a script of commands.
func TestTalkRecord(t *testing.T) {
	socket := talkFilter(t)
	r := runMillstream(t, talkCommands, "talk", "-p", socket, "--record", "-")
	if r.status != 0 || r.out != talkScript {
		t.Errorf("exit status %d: %s\n%s", r.status, r.errOut, r.out)
	}
	r = runMillstream(t, "-> connect c unknown\n-> quit\n", "talk", "-p", socket, "--record", "-")
	if r.status != 1 || !strings.Contains(r.out, "<- close\n-> quit\n") || !strings.Contains(r.errOut, "2: the connection is closed") {
		t.Errorf("exit status %d: %s\n%s", r.status, r.errOut, r.out)
	}
}

// TestTalkDiffers plays scripts that the milter does not keep to.
func TestTalkDiffers(t *testing.T) {
	socket := talkFilter(t)
	const begin = "-> negotiate\n<- negotiate 6 actions=all steps=no-connect|no-helo|no-rcpt|no-body|no-headers|no-end-of-header|no-unknown|no-data|skip\n"
	tests := []struct {
		name, text string
		has        []string
	}{
		{"another answer", begin + "-> mail <spam@example.com>\n<- continue\n-> quit\n", []string{
			"!! expected <- continue  (", ":4)\n", "!!      got <- reject 550 5.7.1 not welcome\n", "-> quit\n",
		}},
		{"no answer", begin + "-> abort\n<- continue\n-> quit\n", []string{
			"!! expected <- continue", "!!      got <- nothing",
		}},
		{"more than was expected", begin + "-> mail <>\n<- continue\n-> end-of-message\n<- add-header X-Test: yes\n", []string{
			"!! expected nothing", "!!      got <- accept",
		}},
		{"an answer where there is none", begin + "-> mail <>\n<- nothing\n", []string{
			"!! expected <- nothing", "!!      got <- continue",
		}},
		{"closed", "-> connect c unknown\n-> negotiate\n<- nothing\n", []string{
			"!!      got <- close",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := runMillstream(t, tt.text, "talk", "-p", socket, "--timeout", "3s", "-")
			r.has(t, tt.has...)
			if r.status != 1 || !strings.Contains(r.errOut, "1 of 1 scripts: not as expected") {
				t.Errorf("exit status %d: %s", r.status, r.errOut)
			}
		})
	}
}

// TestTalkMistakes checks that mistakes are found before anything is sent.
func TestTalkMistakes(t *testing.T) {
	good, bad := talkFile(t, talkScript), talkFile(t, "-> negotiate\n-> nonsense\n")
	gone := "unix:" + filepath.Join(t.TempDir(), "gone")
	tests := []struct {
		args   []string
		status int
		text   string
	}{
		{[]string{}, 2, "no script"},
		{[]string{good, bad}, 2, ":2:4: expected a command"},
		{[]string{bad + ".not"}, 2, "no such file"},
		{[]string{"-p", "nonsense:8890", good}, 2, "nonsense"},
		{[]string{"--timeout", "0s", good}, 2, "greater than zero"},
		{[]string{"--no-such-flag", good}, 2, "no-such-flag"},
		{[]string{"-p", gone, good}, 1, "no milter"},
	}
	for _, tt := range tests {
		r := runMillstream(t, "", append([]string{"talk"}, tt.args...)...)
		if r.status != tt.status || !strings.Contains(r.errOut, tt.text) {
			t.Errorf("%q: exit status %d, want %d with %q:\n%s", tt.args, r.status, tt.status, tt.text, r.errOut)
		}
	}
	if r := runMillstream(t, "", "talk", "--help"); r.status != 0 || !strings.Contains(r.out, "hello.txt") {
		t.Errorf("help: exit status %d\n%s", r.status, r.out)
	}
}
