package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"millstream/handlers"
)

const sendMessage = "From: a@example.org\nSubject: one\nX-Old: 1\nX-Old: 2\nSubject: two\n\nhello\n\x1b[31mbody\n"

// changeAll makes a change of every kind.
func changeAll(m *handlers.Message) {
	m.AddHeader("X-Added", "folded\n\tvalue")
	m.InsertHeader(0, "X-Top", "top")
	m.ChangeHeader("subject", 2, "new")
	m.DeleteHeader("X-Old", 1)
	m.DeleteHeader("X-Old", 7)
	m.ChangeFrom("<new@example.org>", "RET=HDRS")
	m.AddRecipient("<c@example.com>", "NOTIFY=NEVER")
	m.AddRecipient("<d@example.com>")
	m.DeleteRecipient("<a@example.com>")
	m.ReplaceBody([]byte("new\r\n"))
	m.ReplaceBody([]byte("body\r\n"))
	m.Progress()
	m.Quarantine("held")
}

const changedDiff = `--- as sent
+++ as delivered
@@ -1,13 +1,16 @@
-MAIL FROM:<sender@example.org> SIZE=10
-RCPT TO:<a@example.com>
+MAIL FROM:<new@example.org> RET=HDRS
 RCPT TO:<b@example.com>
+RCPT TO:<c@example.com> NOTIFY=NEVER
+RCPT TO:<d@example.com>
 DATA
+X-Top: top
 Received: (of the MTA)
 From: a@example.org
 Subject: one
-X-Old: 1
 X-Old: 2
-Subject: two
+subject: new
+X-Added: folded
+	value
 
-hello
-\x1b[31mbody
+new
+body
`

func TestSendChanges(t *testing.T) {
	socket := serveFilter(t, atEnd(handlers.Accept, changeAll))
	file, out := filepath.Join(t.TempDir(), "in"), filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(file, []byte(sendMessage), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"send", "-p", socket, "--to", "a@example.com", "--to", "b@example.com", "--from-param", "SIZE=10"}
	got := runMillstream(t, "", append(args, "--out", out, file)...)
	got.has(t,
		"Changes      add-header       X-Added: folded\n                 value\n",
		"             insert-header    X-Top [0]: top\n",
		"             change-header    subject [2]: new\n",
		"             delete-header    X-Old [1]\n",
		"             delete-header    X-Old [7]  (there are 1: nothing is deleted)\n",
		"             change-from      <new@example.org> RET=HDRS\n",
		"             add-recipient    <c@example.com> NOTIFY=NEVER\n",
		"             delete-recipient <a@example.com>\n",
		"             replace-body     11 bytes\n",
		"             quarantine       held\n",
	)
	if got.status != exitQuarantined || got.errOut != "" {
		t.Errorf("exit status %d\n%s", got.status, got.errOut)
	}
	if _, diff, _ := strings.Cut(got.out, "\n--- "); "--- "+diff != changedDiff {
		t.Errorf("the difference is\n--- %s", diff)
	}
	const delivered = "X-Top: top\nFrom: a@example.org\nSubject: one\nX-Old: 2\nsubject: new\nX-Added: folded\n\tvalue\n\nnew\nbody\n"
	if written, err := os.ReadFile(out); err != nil || string(written) != delivered {
		t.Errorf("written %q, %v", written, err)
	}

	got = runMillstream(t, strings.ReplaceAll(sendMessage, "\n", "\r\n"), append(args, "--out", "-", "--quiet", "-")...)
	if got.out != strings.ReplaceAll(delivered, "\n", "\r\n") || got.errOut != "quarantined: held\n" {
		t.Errorf("%q, %q", got.out, got.errOut)
	}
}

func TestSendJSON(t *testing.T) {
	got := runMillstream(t, sendMessage, "send", "-p", serveFilter(t, atEnd(handlers.Accept, changeAll)), "--format", "json",
		"--to", "a@example.com", "--to", "b@example.com", "--from-param", "SIZE=10", "-")
	var doc jsonReport
	in := json.NewDecoder(strings.NewReader(got.out))
	in.DisallowUnknownFields()
	if err := in.Decode(&doc); err != nil {
		t.Fatal(err, got)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		t.Error("more than one document")
	}
	if doc.ExitStatus != exitQuarantined || got.status != exitQuarantined || doc.Error != "" || doc.Diff != changedDiff {
		t.Errorf("%+v", doc)
	}
	if v := doc.Verdict; *v != (jsonVerdict{"quarantined", "end-of-message", "", "held"}) {
		t.Errorf("verdict %+v", v)
	}
	if doc.Agreed.Version != 6 || doc.Offered.Version != 6 || len(doc.Agreed.Actions) < 8 || len(doc.Changes) != 11 || *doc.Changes[9].Bytes != 11 {
		t.Errorf("agreed %+v, changes %+v", doc.Agreed, doc.Changes)
	}
	l := doc.Delivered
	if l.From.Address != "<new@example.org>" || len(l.To) != 3 || l.To[1].Params[0] != "NOTIFY=NEVER" ||
		l.Headers[0] != (jsonHeader{"X-Top", "top"}) || l.Body != "new\r\nbody\r\n" {
		t.Errorf("delivered %+v", l)
	}
	if last := doc.Stages[len(doc.Stages)-1]; last.Stage != "end-of-message" || last.Answer != "accept" || !last.Answered || last.TookMS <= 0 {
		t.Errorf("stage %+v", last)
	}
}
