package bench

import (
	"go/ast"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const parityFile = treeRoot + "/handlers/PARITY.md"

// parityRows has the rows that there are, by the letter of their table.
var parityRows = []struct {
	letter      string
	first, last int
}{
	{"S", 1, 40}, {"M", 1, 47}, {"P", 1, 9}, {"T", 0, 28}, {"E", 1, 7}, {"A", 1, 13}, {"F", 1, 10}, {"L", 1, 32},
}

// A parityRow is an item of another library, and the tests that show it here.
type parityRow struct {
	id    string
	tests []string
}

var (
	rowStart = regexp.MustCompile(`^\| ([A-Z][0-9]+) \|`)
	quoted   = regexp.MustCompile("`([^`]*)`")
	testName = regexp.MustCompile(`^(Test|Example|Fuzz)`)
)

// readParity returns the text of the tables and their rows.
func readParity(t *testing.T) (text string, rows []parityRow) {
	t.Helper()
	b, err := os.ReadFile(parityFile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		m := rowStart.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 {
			t.Fatalf("%s has %d cells, want 4", m[1], len(cells))
		}
		row := parityRow{id: m[1]}
		for name := range strings.SplitSeq(cells[3], ",") {
			if name = strings.TrimSpace(name); name != "" {
				row.tests = append(row.tests, name)
			}
		}
		rows = append(rows, row)
	}
	return string(b), rows
}

// TestParityRows checks that each row is there, once, and no other.
func TestParityRows(t *testing.T) {
	times := map[string]int{}
	_, rows := readParity(t)
	for _, row := range rows {
		times[row.id]++
	}
	for _, r := range parityRows {
		for n := r.first; n <= r.last; n++ {
			times[r.letter+strconv.Itoa(n)]--
		}
	}
	for id, n := range times {
		if n != 0 {
			t.Errorf("%s: %+d rows", id, n)
		}
	}
}

// TestParityTests checks that each row names tests, and that they exist.
func TestParityTests(t *testing.T) {
	tests, words := testsOf(sources(t))
	_, rows := readParity(t)
	for _, row := range rows {
		if len(row.tests) == 0 {
			t.Errorf("%s: no test", row.id)
		}
		for _, name := range row.tests {
			if script, ok := strings.CutPrefix(name, "session/"); ok {
				if _, err := os.Stat(filepath.Join(treeRoot, "protocol/testdata/session", script)); err != nil {
					t.Errorf("%s: %v", row.id, err)
				}
				continue
			}
			dir, function, _ := strings.Cut(name, ".")
			function, sub, isSub := strings.Cut(function, "/")
			if !tests[dir+"."+function] {
				t.Errorf("%s: no test %s", row.id, name)
			}
			if isSub && !words[dir+"/"+sub] {
				t.Errorf("%s: no test of %s in %s is called %q", row.id, function, dir, sub)
			}
		}
	}
}

// testsOf returns the functions that go test runs, such as "netio.TestServe", and
// what their parts may be called: the strings in each directory of tests.
func testsOf(files []*sourceFile) (tests, words map[string]bool) {
	tests, words = map[string]bool{}, map[string]bool{}
	for _, f := range files {
		if !f.isTest() {
			continue
		}
		dir := path.Dir(f.path)
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv == nil && testName.MatchString(n.Name.Name) {
					tests[dir+"."+n.Name.Name] = true
				}
			case *ast.BasicLit:
				if s, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
					words[dir+"/"+strings.ReplaceAll(s, " ", "_")] = true
				}
			}
			return true
		})
	}
	return tests, words
}

// TestParityNames checks that what stands between backquotes is a package, or an
// exported name of one: of handlers, where none is named.
func TestParityNames(t *testing.T) {
	names := namesOf(sources(t))
	for _, name := range []string{`""`, "errors.Is", "errors.As"} {
		names[name] = true
	}
	text, _ := readParity(t)
	for _, m := range quoted.FindAllStringSubmatch(text, -1) {
		name := strings.TrimPrefix(m[1], "*")
		if !names[name] && !names["handlers."+name] {
			t.Errorf("there is no %s", m[1])
		}
	}
}

// namesOf returns the packages of the API, and their exported names with those of
// methods and fields: "actors", "actors.Config", "actors.Config.Timeout".
func namesOf(files []*sourceFile) map[string]bool {
	names := map[string]bool{}
	for _, f := range files {
		top, _, _ := strings.Cut(f.path, "/")
		if f.isTest() || top == "bench" || top == "cmd" || strings.Contains(f.path, "/internal/") {
			continue
		}
		pkg := f.ast.Name.Name
		names[pkg] = true
		for _, decl := range f.ast.Decls {
			for _, name := range declared(decl) {
				names[pkg+"."+name] = token.IsExported(path.Base(strings.ReplaceAll(name, ".", "/")))
			}
		}
	}
	return names
}

// declared returns the names that a declaration makes.
func declared(decl ast.Decl) (names []string) {
	if fn, ok := decl.(*ast.FuncDecl); ok {
		if fn.Recv != nil {
			return []string{receiver(fn).Name + "." + fn.Name.Name}
		}
		return []string{fn.Name.Name}
	}
	for _, spec := range decl.(*ast.GenDecl).Specs {
		switch spec := spec.(type) {
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				names = append(names, name.Name)
			}
		case *ast.TypeSpec:
			names = append(names, spec.Name.Name)
			if s, ok := spec.Type.(*ast.StructType); ok {
				for _, field := range s.Fields.List {
					for _, name := range field.Names {
						names = append(names, spec.Name.Name+"."+name.Name)
					}
				}
			}
		}
	}
	return names
}
