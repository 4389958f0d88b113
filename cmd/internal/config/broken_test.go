package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what is said of the broken files of testdata")

// options are those of tests: an environment of their own, and expressions that are
// wrong if they have a single "=".
func options() Options {
	return Options{
		Env: func(name string) (string, bool) {
			v, ok := map[string]string{"PORT": "8890", "EMPTY": ""}[name]
			return v, ok
		},
	}
}

// TestBroken reads files with mistakes and compares all that is said of them.
func TestBroken(t *testing.T) {
	files, err := filepath.Glob("testdata/broken/*.toml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".toml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Base(file)
			c, err := Parse([]File{{name, data}}, options())
			var mistakes Error
			if c != nil || !errors.As(err, &mistakes) || len(mistakes) == 0 {
				t.Fatalf("it was taken: %v, %v", c, err)
			}
			for _, m := range mistakes {
				if m.At.File != name || m.At.Line < 1 || m.At.Column < 1 {
					t.Errorf("%v has no place", m)
				}
			}
			if strings.Contains(err.Error(), "geheim") {
				t.Error("a secret is told")
			}
			compareGolden(t, strings.TrimSuffix(file, ".toml")+".golden", err.Error()+"\n")
		})
	}
}

func compareGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("said:\n%s\nwant:\n%s", got, want)
	}
}

// TestLoad reads a file with files beside it.
func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	const accept = "type = \"reply\"\nstage = \"mail\"\nverdict = \"accept\"\n"
	file := write("m[1].toml", "[limits]\nloops = 1\n[[handler]]\nname = \"a\"\n"+accept)
	write("conf.d/20.toml", "[[handler]]\nname = \"c\"\n"+accept)
	write("conf.d/10.toml", "[limits]\ngrace = \"1m\"\n[[handler]]\nname = \"b\"\n"+accept)
	write("conf.d/30.txt", "nonsense")
	c, err := Load(file, options())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, h := range c.Handlers {
		names = append(names, h.Name)
	}
	if got := strings.Join(names, ""); got != "abc" || c.Limits.Loops != 1 || c.Limits.Grace.Minutes() != 1 {
		t.Errorf("handlers %s, %+v", got, c.Limits)
	}

	write("conf.d/35.toml", "[limits]\nloops = 2\nidle = 3\n")
	if _, err = Load(file, options()); err == nil || !strings.Contains(err.Error(), "`limits.loops` is set a second time") ||
		!strings.Contains(err.Error(), "`limits.idle` is an integer") {
		t.Errorf("not all mistakes: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "conf.d/35.toml")); err != nil {
		t.Fatal(err)
	}

	write("conf.d/40.toml", "handler = 3\n[limits]\nloops = 2\ngrace = \"2m\"\n")
	write("conf.d/50.toml", "[limits\n")
	_, err = Load(file, options())
	want := []string{
		"conf.d/40.toml:1:1: `handler` is set a second time, the first is at m[1].toml:3:3: keep one of them",
		"conf.d/40.toml:3:1: `limits.loops` is set a second time, the first is at m[1].toml:2:1: keep one of them",
		"conf.d/40.toml:4:1: `limits.grace` is set a second time, the first is at conf.d/10.toml:2:1: keep one of them",
		"conf.d/50.toml:1:8: ",
	}
	var mistakes Error
	if !errors.As(err, &mistakes) || len(mistakes) != len(want) {
		t.Fatal(err)
	}
	for i, m := range mistakes {
		if text := strings.ReplaceAll(m.String(), dir+"/", ""); !strings.HasPrefix(text, want[i]) {
			t.Errorf("%s\nwant %s", text, want[i])
		}
	}
	if _, err := Load(filepath.Join(dir, "none.toml"), options()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestEditors reads a file as editors write it, and one that is empty.
func TestEditors(t *testing.T) {
	const text = "[[handler]]\n\ttype = \"reply\"\n\tstage\t= \"mail\"\n\tverdict = \"reject\"\n"
	windows := strings.ReplaceAll(text, "\n", "\r\n")
	for name, data := range map[string]string{"tabs": text, "line ends": windows, "mark": string(byteOrderMark) + windows} {
		c, err := Parse([]File{{"f", []byte(data)}}, options())
		if err != nil || len(c.Handlers) != 1 || c.Handlers[0].Name != "reply" {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
		if _, err := Parse([]File{{"f", []byte(data + "x = 1")}}, options()); err == nil || !strings.HasPrefix(err.Error(), "f:5:1: ") {
			t.Errorf("%s: the place of a mistake: %v", name, err)
		}
	}
	if c, err := Parse([]File{{"f", nil}}, options()); err != nil || len(c.Handlers) != 0 || c.Listeners[0].Socket != DefaultSocket {
		t.Errorf("empty: %+v, %v", c, err)
	}
}

// TestDidYouMean looks for the nearest word.
func TestDidYouMean(t *testing.T) {
	known := []string{"socket", "mode", "group"}
	for word, want := range map[string]string{
		"sokcet": "did you mean `socket`?", "Mode": "did you mean `mode`?", "grp": "did you mean `group`?",
		"xyz": "known are socket, mode, group", "": "known are socket, mode, group",
	} {
		if got := didYouMean(word, known); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
	if d := distance("abcd", "acbd"); d != 1 {
		t.Errorf("a swap is %d", d)
	}
}

// FuzzParse reads whatever comes. What is taken can be dumped and read again.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/broken/*.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Add(string(Example))
	f.Add("a.b.c = 1\n[[a.d]]\n[a.d.e]\nf = [[{x=1}], []]\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse([]File{{"f", []byte(text)}, {"g", []byte("[[handler]]\n[limits]\nloops = 1")}}, options())
		if err == nil {
			t.Fatalf("a handler without a type was taken: %v", c)
		}
		c, err = Parse([]File{{"f", []byte(text)}}, options())
		if err != nil {
			if m, ok := errors.AsType[Error](err); !ok || slices.ContainsFunc(m, func(m Mistake) bool { return m.At.Line < 1 }) {
				t.Errorf("%v", err)
			}
			return
		}
		dump := c.Dump()
		again, err := Parse([]File{{"dump", dump}}, options())
		if err != nil {
			t.Fatalf("%v\n%s", err, dump)
		}
		if second := again.Dump(); string(second) != string(dump) {
			t.Errorf("dumped\n%s\nthen\n%s", dump, second)
		}
		if g, err := c.Build(Env{}); err == nil {
			_ = g.Close()
		}
	})
}
