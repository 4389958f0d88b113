package protocol

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestFormatReply(t *testing.T) {
	long := strings.Repeat("x", 980)
	lines := slices.Repeat([]string{"a"}, 32)
	tests := []struct {
		name     string
		code     int
		enhanced string
		lines    []string
		want     string
	}{
		{"code alone", 550, "", nil, "550 "},
		{"code and enhanced code", 550, "5.7.1", nil, "550 5.7.1"},
		{"text", 550, "", []string{"no"}, "550 no"},
		{"enhanced code and text", 550, "5.7.1", []string{"no"}, "550 5.7.1 no"},
		{"lowest code", 400, "", []string{"no"}, "400 no"},
		{"highest code", 599, "", []string{"no"}, "599 no"},
		{"lowest code of a refusal", 500, "5.0.0", []string{"no"}, "500 5.0.0 no"},
		{"close", 421, "4.3.2", []string{"going down"}, "421 4.3.2 going down"},
		{"shortest enhanced code", 450, "4.0.0", []string{"no"}, "450 4.0.0 no"},
		{"longest enhanced code", 550, "5.999.999", []string{"no"}, "550 5.999.999 no"},

		{"two lines", 550, "", []string{"a", "b"}, "550-a\r\n550 b"},
		{"two lines, enhanced code", 551, "5.7.1", []string{"a", "b"}, "551-5.7.1 a\r\n551 5.7.1 b"},
		{"three lines", 451, "4.7.1", []string{"a", "b", "c"}, "451-4.7.1 a\r\n451-4.7.1 b\r\n451 4.7.1 c"},
		{"lines in one string", 550, "", []string{"a\nb\r\nc"}, "550-a\r\n550-b\r\n550 c"},
		{"line end at the end", 550, "", []string{"a\n"}, "550 a"},
		{"CRLF at the end", 550, "", []string{"a\r\n"}, "550 a"},
		{"two line ends at the end", 550, "", []string{"a\n\n"}, "550-a\r\n550 "},
		{"line end within", 550, "", []string{"a\n", "b"}, "550-a\r\n550-\r\n550 b"},
		{"empty line between", 550, "", []string{"a", "", "b"}, "550-a\r\n550-\r\n550 b"},
		{"empty line at the end", 550, "", []string{"a", ""}, "550-a\r\n550 "},
		{"empty text", 550, "", []string{""}, "550 "},
		{"empty text, enhanced code", 550, "5.7.1", []string{""}, "550 5.7.1"},
		{"line end alone", 550, "5.7.1", []string{"\r\n"}, "550 5.7.1"},
		{"two empty lines", 550, "", []string{"", ""}, "550-\r\n550 "},

		{"begins with a digit", 550, "", []string{"3 strikes"}, "550 5.0.0 3 strikes"},
		{"begins with a digit, 4xx", 450, "", []string{"5.7.1 wait"}, "450 4.0.0 5.7.1 wait"},
		{"begins with the lowest digit", 500, "", []string{"0 left"}, "500 5.0.0 0 left"},
		{"begins with the highest digit", 499, "", []string{"9 left"}, "499 4.0.0 9 left"},
		{"second line begins with a digit", 550, "", []string{"you are", "1 of 3"}, "550-5.0.0 you are\r\n550 5.0.0 1 of 3"},
		{"digit behind an enhanced code", 550, "5.7.1", []string{"3 strikes"}, "550 5.7.1 3 strikes"},
		{"space before a digit", 550, "", []string{" 3 strikes"}, "550  3 strikes"},

		{"percent", 550, "5.7.1", []string{"100% spam %s"}, "550 5.7.1 100% spam %s"},
		{"tab", 550, "", []string{"a\tb"}, "550 a\tb"},
		{"other than ASCII", 550, "", []string{"nö \xff"}, "550 nö \xff"},
		{"longest line", 550, "", []string{long}, "550 " + long},
		{"most lines", 550, "", lines, strings.Repeat("550-a\r\n", 31) + "550 a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := FormatReply(tt.code, tt.enhanced, tt.lines...)
			if err != nil || got != tt.want {
				t.Fatalf("%q, error %v; want %q", got, err, tt.want)
			}
			r, err := NewSMTPReply(tt.code, tt.enhanced, tt.lines...)
			if err != nil || r.String() != tt.want || r.Code() != tt.code {
				t.Fatalf("%q, code %d, error %v", r, r.Code(), err)
			}
			status := StatusTempFail
			if tt.code >= 500 {
				status = StatusReject
			}
			_, body := openPacket(t, AppendReply(nil, status, r))
			if want := strings.ReplaceAll(tt.want, "%", "%%") + "\x00"; string(body) != want {
				t.Errorf("sent %q, want %q", body, want)
			}
		})
	}
}

func TestFormatReplyRefuses(t *testing.T) {
	tests := []struct {
		name     string
		code     int
		enhanced string
		lines    []string
		err      error
	}{
		{"no code", 0, "", nil, ErrInvalidCode},
		{"below zero", -550, "", nil, ErrInvalidCode},
		{"code of a success", 250, "", nil, ErrInvalidCode},
		{"code of a success, enhanced code too", 250, "2.0.0", nil, ErrInvalidCode},
		{"just too low", 399, "", nil, ErrInvalidCode},
		{"just too high", 600, "", nil, ErrInvalidCode},
		{"four digits", 5500, "", nil, ErrInvalidCode},

		{"class alone", 550, "5", nil, ErrInvalidCode},
		{"class and dot", 550, "5.", nil, ErrInvalidCode},
		{"no detail", 550, "5.7", nil, ErrInvalidCode},
		{"empty detail", 550, "5.7.", nil, ErrInvalidCode},
		{"empty subject", 550, "5..1", nil, ErrInvalidCode},
		{"class of two digits", 550, "55.7.1", nil, ErrInvalidCode},
		{"subject of four digits", 550, "5.7489.1", nil, ErrInvalidCode},
		{"detail of four digits", 550, "5.7.1234", nil, ErrInvalidCode},
		{"letter", 550, "5.a.1", nil, ErrInvalidCode},
		{"four parts", 550, "5.7.1.1", nil, ErrInvalidCode},
		{"space before", 550, " 5.7.1", nil, ErrInvalidCode},
		{"space behind", 550, "5.7.1 ", nil, ErrInvalidCode},
		{"sign", 550, "5.+7.1", nil, ErrInvalidCode},
		{"class of another code", 550, "4.7.1", nil, ErrInvalidCode},
		{"class of another code, 4xx", 450, "5.7.1", nil, ErrInvalidCode},
		{"class of a success", 550, "2.7.1", nil, ErrInvalidCode},
		{"class of nothing", 550, "3.7.1", nil, ErrInvalidCode},

		{"NUL", 550, "", []string{"a\x00b"}, ErrInvalidArgument},
		{"CR", 550, "", []string{"a\rb"}, ErrInvalidArgument},
		{"CR at the end", 550, "", []string{"a\r"}, ErrInvalidArgument},
		{"CR at the end of a line", 550, "", []string{"a\r", "b"}, ErrInvalidArgument},
		{"CR before CRLF", 550, "", []string{"a\r\r\nb"}, ErrInvalidArgument},
		{"escape", 550, "", []string{"\x1b[31m"}, ErrInvalidArgument},
		{"delete", 550, "", []string{"a\x7f"}, ErrInvalidArgument},
		{"vertical tab", 550, "", []string{"fine", "a\vb"}, ErrInvalidArgument},
		{"line too long", 550, "", []string{"fine", strings.Repeat("x", 981)}, ErrInvalidArgument},
		{"too many lines", 550, "", slices.Repeat([]string{"a"}, 33), ErrInvalidArgument},
		{"too many lines in one string", 550, "", []string{strings.Repeat("\n", 33)}, ErrInvalidArgument},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := FormatReply(tt.code, tt.enhanced, tt.lines...)
			if got != "" || !errors.Is(err, tt.err) {
				t.Errorf("%q, error %v; want %v", got, err, tt.err)
			}
			if r, err := NewSMTPReply(tt.code, tt.enhanced, tt.lines...); r != nil || !errors.Is(err, tt.err) {
				t.Errorf("%v, error %v; want %v", r, err, tt.err)
			}
		})
	}
}

func TestSMTPReply(t *testing.T) {
	lines := []string{"one", "two"}
	r, err := NewSMTPReply(451, "4.7.1", lines...)
	if err != nil {
		t.Fatal(err)
	}
	if r.Code() != 451 || r.Enhanced() != "4.7.1" || !slices.Equal(r.Lines(), lines) {
		t.Errorf("%d %q %q", r.Code(), r.Enhanced(), r.Lines())
	}
	lines[0] = "changed"
	r.Lines()[1] = "changed"
	if want := "451-4.7.1 one\r\n451 4.7.1 two"; r.String() != want {
		t.Errorf("%q, want %q", r, want)
	}
	if r, err = NewSMTPReply(550, "", "3 strikes"); err != nil || r.Enhanced() != "5.0.0" {
		t.Errorf("enhanced code %q, error %v; want the one added", r.Enhanced(), err)
	}
}

func TestSMTPReplySuits(t *testing.T) {
	for _, code := range []int{400, 421, 499, 500, 550, 599} {
		r, err := NewSMTPReply(code, "")
		if err != nil {
			t.Fatal(err)
		}
		for s := Status(0); s <= numStatuses; s++ {
			want := s == StatusTempFail && code < 500 || s == StatusReject && code >= 500
			if got := r.Suits(s); got != want {
				t.Errorf("%d suits %v: %v", code, s, got)
			}
		}
	}
}
