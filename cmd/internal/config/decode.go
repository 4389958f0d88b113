package config

import (
	"encoding"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect" //nolint:depguard // see field.go
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxSecret is how long the file of a secret may be, in bytes.
const maxSecret = 64 << 10

// A decoder sets structs to what a tree says. It goes on after a mistake, so that all
// are told at once.
type decoder struct {
	env      func(string) (string, bool)
	types    []Type // of handlers
	mistakes []Mistake
}

// wrong notes a mistake.
func (d *decoder) wrong(at Position, format string, args ...any) {
	d.mistakes = append(d.mistakes, Mistake{at, fmt.Sprintf(format, args...)})
}

// table sets structs to what a table has. Each key belongs to one of them.
func (d *decoder) table(n *node, path string, structs ...reflect.Value) {
	var all []string
	used := make(map[string]bool)
	for _, v := range structs {
		fields := fieldsOf(v.Type())
		all = append(all, namesOf(fields)...)
		for _, f := range fields {
			c := n.fields[f.name]
			switch {
			case c != nil:
				used[f.name] = true
				d.value(c, v.Field(f.index), &f, join(path, f.name))
			case f.required:
				d.wrong(n.at, "%s needs `%s`: write %s = %s", path, f.name, f.name, f.sample(v.Field(f.index).Type()))
			}
		}
	}
	for _, name := range n.names {
		if !used[name] {
			d.wrong(n.fields[name].key, "unknown key `%s`%s: %s", name, in(path), d.unknown(n, path, name, all))
		}
	}
}

// in says in which table something is.
func in(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

// value sets v to what a node says.
func (d *decoder) value(n *node, v reflect.Value, f *field, path string) {
	kinds := wanted(v.Type())
	switch {
	case slices.Contains(kinds, n.kind):
	case n.kind == kindTable && kinds[0] == kindList && v.Type().Elem().Kind() == reflect.Struct:
		d.wrong(n.at, "`%s` is one table, and there may be several: write [[%s]]", path, withoutIndexes(path))
		return
	default:
		d.wrong(n.at, "`%s` is %v and must be %v, such as %s", path, n.kind, kinds[0], f.sample(v.Type()))
		return
	}
	switch n.kind {
	case kindTable:
		if v.Kind() == reflect.Map {
			d.named(n, v, f, path)
			return
		}
		d.table(n, path, v)
	case kindList:
		if list, ok := shortOf(v.Type()); ok {
			d.value(n, v.Field(list.index), &list, path)
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(n.items), len(n.items)))
		for i, item := range n.items {
			d.value(item, v.Index(i), f, fmt.Sprintf("%s[%d]", path, i))
		}
	case kindText:
		d.text(n, v, f, path)
	case kindBool:
		v.SetBool(n.text == "true")
	default:
		d.number(n, v, f, path)
	}
}

// named sets v, a map, to a table whose keys are names.
func (d *decoder) named(n *node, v reflect.Value, f *field, path string) {
	v.Set(reflect.MakeMap(v.Type()))
	for _, name := range n.names {
		c := n.fields[name]
		if !isName(name) {
			d.wrong(c.key, "%q in %s is no name: %s", name, path, nameRule)
		}
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(c, item, f, join(path, name))
		v.SetMapIndex(reflect.ValueOf(name), item)
	}
}

// number sets v to a number.
func (d *decoder) number(n *node, v reflect.Value, f *field, path string) {
	text := strings.ReplaceAll(n.text, "_", "")
	if isInteger(v.Type()) {
		i, err := strconv.ParseInt(text, 0, 0)
		if err == nil && i >= f.least && i <= f.most {
			v.SetInt(i)
			return
		}
	} else if x, err := strconv.ParseFloat(text, 64); err == nil && x >= float64(f.least) && x <= float64(f.most) {
		v.SetFloat(x)
		return
	}
	d.wrong(n.at, "`%s` is %s: write a number from %d to %d", path, n.text, f.least, f.most)
}

// text sets v to what a string says.
func (d *decoder) text(n *node, v reflect.Value, f *field, path string) {
	s, err := expand(n.text, d.env)
	if err != nil {
		d.wrong(n.at, "`%s`: %v", path, err)
		return
	}
	switch t := v.Type(); {
	case t == secretType:
		if s, err = secret(s, n.at.File); err != nil {
			d.wrong(n.at, "`%s`: %v", path, err)
		}
		v.SetString(s)
	case t == durationType:
		wait, err := time.ParseDuration(s)
		if err != nil || wait < 0 {
			d.wrong(n.at, "`%s`: %q is no time: write it with units, such as 500ms, 30s, 5m, 1h30m", path, s)
			return
		}
		v.SetInt(int64(wait))
	case t.Kind() != reflect.String:
		if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s)); err != nil {
			d.wrong(n.at, "`%s`: %q %v", path, s, err)
		}
	default:
		if len(f.words) > 0 && !slices.Contains(f.words, s) {
			hint := didYouMean(s, f.words)
			if name, ok := strings.CutPrefix(s, "$"); ok && isVariable(name) {
				hint = "a variable is written ${" + name + "}"
			}
			d.wrong(n.at, "`%s`: %q is not known: %s", path, s, hint)
		}
		v.SetString(s)
	}
}

// secret returns what is meant by a secret: itself or the content of a file. The error
// does not tell it.
func secret(s, from string) (string, error) {
	path, isFile := strings.CutPrefix(s, "file:")
	if !isFile {
		return s, nil
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(from), path)
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", fmt.Errorf("the file of the secret: %w", err)
	case !info.Mode().IsRegular() || info.Size() > maxSecret:
		return "", fmt.Errorf("the file of the secret, %s, is no file of at most %d bytes", path, maxSecret)
	case info.Mode()&0o002 != 0:
		return "", fmt.Errorf("the file of the secret, %s, can be written by everybody: chmod 0400 %s", path, path)
	}
	content, err := os.ReadFile(path)
	text := strings.TrimRight(string(content), "\r\n")
	switch {
	case err != nil:
		return "", fmt.Errorf("the file of the secret: %w", err)
	case text == "":
		return "", errors.New("the file of the secret, " + path + ", is empty")
	}
	return text, nil
}
