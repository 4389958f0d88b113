package bench

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The limits of size. Most files have half of it, most functions a third.
const (
	maxFileLines = 400
	maxFuncLines = 80
)

// topLevel is all that may stand at the top of the tree, beside names that begin
// with a dot. Documents belong to the README or beside the code they describe.
var topLevel = []string{
	"CHANGELOG.md", "LICENSE", "Makefile", "README.md", "go.mod", "go.sum",
	"actors", "bench", "cmd", "handlers", "netio", "protocol",
}

// needNoComment are methods that every reader knows, as revive has them.
var needNoComment = []string{"Error", "Is", "Read", "ServeHTTP", "String", "Unwrap", "Write"}

const treeRoot = ".."

// A sourceFile is one Go file of the tree.
type sourceFile struct {
	path  string // from the top of the tree, with slashes
	fset  *token.FileSet
	ast   *ast.File
	lines int
}

func (f *sourceFile) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

// line returns the line of a position in f.
func (f *sourceFile) line(p token.Pos) int { return f.fset.Position(p).Line }

// readSources parses the tree once for all tests.
var readSources = sync.OnceValues(func() ([]*sourceFile, error) {
	var files []*sourceFile
	err := filepath.WalkDir(treeRoot, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != treeRoot && isNoSource(d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		f, err := parseSource(name)
		files = append(files, f)
		return err
	})
	return files, err
})

// isNoSource reports whether the go command, too, passes a directory by.
func isNoSource(dir string) bool {
	return dir == "testdata" || dir == "vendor" || strings.HasPrefix(dir, ".") || strings.HasPrefix(dir, "_")
}

func parseSource(name string) (*sourceFile, error) {
	src, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	rel, err := filepath.Rel(treeRoot, name)
	if err != nil {
		return nil, err
	}
	f := &sourceFile{path: filepath.ToSlash(rel), fset: token.NewFileSet(), lines: bytes.Count(src, []byte("\n"))}
	f.ast, err = parser.ParseFile(f.fset, f.path, src, parser.ParseComments|parser.SkipObjectResolution)
	return f, err
}

// sources returns the Go files of the tree that were written by hand.
func sources(t *testing.T) []*sourceFile {
	t.Helper()
	all, err := readSources()
	if err != nil {
		t.Fatal(err)
	}
	written := slices.DeleteFunc(slices.Clone(all), func(f *sourceFile) bool { return ast.IsGenerated(f.ast) })
	if len(written) == 0 {
		t.Fatal("no Go files found")
	}
	return written
}

func TestFileLength(t *testing.T) {
	for _, f := range sources(t) {
		if f.lines > maxFileLines {
			t.Errorf("%s has %d lines; the limit is %d: split it along an idea", f.path, f.lines, maxFileLines)
		}
	}
}

func TestFunctionLength(t *testing.T) {
	for _, f := range sources(t) {
		for _, decl := range f.ast.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			first, last := f.line(fn.Pos()), f.line(fn.End())
			if n := last - first + 1; n > maxFuncLines {
				t.Errorf("%s:%d: %s has %d lines; the limit is %d", f.path, first, fn.Name.Name, n, maxFuncLines)
			}
		}
	}
}

func TestExportedNamesAreDocumented(t *testing.T) {
	for _, f := range sources(t) {
		if f.isTest() {
			continue
		}
		for _, decl := range f.ast.Decls {
			for _, name := range undocumented(decl) {
				t.Errorf("%s:%d: %s has no doc comment", f.path, f.line(name.Pos()), name.Name)
			}
		}
	}
}

// undocumented returns the exported names of a declaration that have no comment.
// The comment of a group is one for each of its constants or variables, as is one
// at the end of the line.
func undocumented(decl ast.Decl) []*ast.Ident {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Doc == nil && isPublic(decl) {
			return []*ast.Ident{decl.Name}
		}
	case *ast.GenDecl:
		return undocumentedSpecs(decl)
	}
	return nil
}

func undocumentedSpecs(decl *ast.GenDecl) []*ast.Ident {
	var names []*ast.Ident
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			// Without parentheses the comment belongs to the declaration.
			if spec.Name.IsExported() && spec.Doc == nil && (decl.Lparen.IsValid() || decl.Doc == nil) {
				names = append(names, spec.Name)
			}
		case *ast.ValueSpec:
			if decl.Doc != nil || spec.Doc != nil || spec.Comment != nil {
				continue
			}
			for _, name := range spec.Names {
				if name.IsExported() {
					names = append(names, name)
				}
			}
		}
	}
	return names
}

// isPublic reports whether go doc shows a function: an exported one, or a method
// of that kind of an exported type.
func isPublic(fn *ast.FuncDecl) bool {
	if !fn.Name.IsExported() {
		return false
	}
	if fn.Recv == nil {
		return true
	}
	return receiver(fn).IsExported() && !slices.Contains(needNoComment, fn.Name.Name)
}

// receiver returns the name of the type that a method belongs to.
func receiver(fn *ast.FuncDecl) *ast.Ident {
	expr := fn.Recv.List[0].Type
	for {
		switch e := expr.(type) {
		case *ast.Ident:
			return e
		case *ast.StarExpr:
			expr = e.X
		case *ast.ParenExpr:
			expr = e.X
		case *ast.IndexExpr:
			expr = e.X
		case *ast.IndexListExpr:
			expr = e.X
		default:
			return ast.NewIdent("_")
		}
	}
}

func TestTopLevel(t *testing.T) {
	for _, name := range topNames(t) {
		if !strings.HasPrefix(name, ".") && !slices.Contains(topLevel, name) {
			t.Errorf("%s stands at the top of the tree; there may be only %s, and names that begin with a dot",
				name, strings.Join(topLevel, " "))
		}
	}
}

// topNames returns what stands at the top: in a checkout what git has or would
// take, elsewhere all but bin.
func topNames(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(treeRoot) // in any case, or a cached result would not see a new name
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	git := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	git.Dir = treeRoot
	if out, err := git.Output(); err == nil {
		for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
			top, _, _ := strings.Cut(path.Clean(name), "/")
			names = append(names, top)
		}
	} else {
		for _, e := range entries {
			if e.Name() != "bin" {
				names = append(names, e.Name())
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
