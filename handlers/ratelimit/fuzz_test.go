package ratelimit_test

import (
	"strings"
	"testing"

	"millstream/handlers/handlertest"
	"millstream/handlers/ratelimit"
	"millstream/protocol"
)

// Whatever is sent, two mails count together if and only if all parts of their keys are
// the same but for letter case, and none is empty.
func FuzzKey(f *testing.F) {
	f.Add("<a@x>", "<b@y>", "<A@X>", "<b@y>")
	f.Add("<a b@x>", "<c>", "<a>", "<b@x c>")
	f.Add("<>", "<b>", "<>", "<b>")
	f.Add("<É@x>", "<\xff>", "<é@x>", "<\xfe>")
	f.Add("<a@{{sender}}>", "<@>", "@", "")
	f.Fuzz(func(t *testing.T, from1, to1, from2, to2 string) {
		if strings.Contains(from1+to1+from2+to2, "\x00") {
			t.Skip("no MTA can send it")
		}
		h, _ := filter(t, limits(ratelimit.Limit{Key: []string{"sender", "rcpt"}, What: "recipients", Limit: 1}), open(t), nil)
		var keys [2][2]string
		var refused [2]bool
		for i, mail := range [][2]string{{from1, to1}, {from2, to2}} {
			from, to := &protocol.MailFrom{Addr: protocol.View(mail[0])}, &protocol.RcptTo{Addr: protocol.View(mail[1])}
			keys[i] = [2]string{strings.ToLower(from.Mailbox().String()), strings.ToLower(to.Mailbox().String())}
			s := handlertest.New(t, h)
			s.Do(from)
			refused[i] = s.Do(to).Status == protocol.StatusTempFail
		}
		want := keys[0] == keys[1] && keys[0][0] != "" && keys[0][1] != ""
		if refused != [2]bool{false, want} {
			t.Errorf("%q: refused %v", keys, refused)
		}
	})
}
