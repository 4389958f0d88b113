package e2e

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/emersion/go-smtp"
)

// A check looks at what came of a message.
type check func(*testing.T, *delivery)

func headerBegins(want string) check {
	return func(t *testing.T, d *delivery) {
		t.Helper()
		if !bytes.HasPrefix(d.Data, []byte(want)) {
			header, _ := d.split()
			t.Errorf("header = %q, want %q at its beginning", header, want)
		}
	}
}

func headerEnds(want string) check {
	return func(t *testing.T, d *delivery) {
		t.Helper()
		if header, _ := d.split(); !bytes.HasSuffix(header, []byte(want)) {
			t.Errorf("header = %q, want %q at its end", header, want)
		}
	}
}

func headerIs(name string, want ...string) check {
	return func(t *testing.T, d *delivery) {
		t.Helper()
		if got := d.values(name); !slices.Equal(got, want) {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

func bodyIs(want string) check {
	return func(t *testing.T, d *delivery) {
		t.Helper()
		if _, got := d.split(); string(got) != want {
			t.Errorf("body = %.100q (%d bytes), want %.100q (%d bytes)", got, len(got), want, len(want))
		}
	}
}

// recipientsAre wants recipients, in alphabetical order, with their NOTIFY.
func recipientsAre(want ...string) check {
	return func(t *testing.T, d *delivery) {
		t.Helper()
		var got []string
		for _, to := range d.To {
			s := to.Addr
			for _, n := range to.Notify {
				s = fmt.Sprint(s, " ", n)
			}
			got = append(got, s)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("recipients = %q, want %q", got, want)
		}
	}
}

func senderIs(want string, ret smtp.DSNReturn) check {
	return func(t *testing.T, d *delivery) {
		t.Helper()
		if d.From != want || d.Params.Return != ret {
			t.Errorf("sender = %q RET=%s, want %q RET=%s", d.From, d.Params.Return, want, ret)
		}
	}
}
