package config

import (
	"encoding"
	"reflect" //nolint:depguard // settings are described by their structs alone: types of handlers bring theirs
	"slices"
	"strconv"
	"strings"
	"time"
)

// A field is what a setting may be, as the tags of its struct say:
//
//	toml:"name"           its key; ",omitempty" leaves it out of a dump when it is zero
//	doc:"text"            what it does
//	enum:"a,b"            the words that it may be
//	min:"1" max:"9"       the least and the greatest number
//	required:"true"       it must be there
//	sample:"text"         what it may look like, for messages
//	short:"true"          a list that stands for the whole table, if that has nothing else
//
// Fields without a key are no settings.
type field struct {
	name      string
	index     int
	doc       string
	words     []string
	least     int64
	most      int64
	example   string
	required  bool
	short     bool
	omitEmpty bool
}

// maxNumber is the greatest number of a setting that does not say otherwise.
const maxNumber = 1e9

// fieldsOf returns the settings of a struct in their order.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		name, options, _ := strings.Cut(tag.Get("toml"), ",")
		if name == "" {
			continue
		}
		f := field{
			name: name, index: i, doc: tag.Get("doc"),
			most: maxNumber, example: tag.Get("sample"), required: tag.Get("required") == "true",
			short: tag.Get("short") == "true", omitEmpty: options == "omitempty",
		}
		if words := tag.Get("enum"); words != "" {
			f.words = strings.Split(words, ",")
		}
		f.least, _ = strconv.ParseInt(tag.Get("min"), 10, 64)
		if most, err := strconv.ParseInt(tag.Get("max"), 10, 64); err == nil {
			f.most = most
		}
		fields = append(fields, f)
	}
	return fields
}

// namesOf returns the keys of fields.
func namesOf(fields []field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return names
}

// The types that are more than their kind says.
var (
	durationType = reflect.TypeFor[time.Duration]()
	secretType   = reflect.TypeFor[Secret]()
	sizeType     = reflect.TypeFor[Size]()
	modeType     = reflect.TypeFor[Mode]()
	networkType  = reflect.TypeFor[Network]()
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// shortOf returns the list that may stand for a whole table of a type.
func shortOf(t reflect.Type) (f field, ok bool) {
	if t.Kind() != reflect.Struct || isText(t) {
		return f, false
	}
	fields := fieldsOf(t)
	i := slices.IndexFunc(fields, func(f field) bool { return f.short })
	if i < 0 {
		return f, false
	}
	return fields[i], true
}

// isText reports whether values of a type are written as strings.
func isText(t reflect.Type) bool {
	return t == durationType || t.Kind() == reflect.String || reflect.PointerTo(t).Implements(textType)
}

// isInteger reports whether values of a type are written as integers.
func isInteger(t reflect.Type) bool { return t.Kind() == reflect.Int || t.Kind() == reflect.Int64 }

// sample returns how a value of a type may look, for messages.
func (f *field) sample(t reflect.Type) string {
	switch {
	case f.example != "":
		return strconv.Quote(f.example)
	case len(f.words) > 0:
		return strconv.Quote(f.words[0])
	case t == durationType:
		return `"30s"`
	case t == sizeType:
		return `"64KiB"`
	case t == modeType:
		return `"0660"`
	case t == networkType:
		return `"192.0.2.0/24"`
	}
	if list, ok := shortOf(t); ok {
		return list.sample(t.Field(list.index).Type)
	}
	switch t.Kind() {
	case reflect.String:
		return `"text"`
	case reflect.Bool:
		return "true"
	case reflect.Int, reflect.Int64:
		return strconv.FormatInt(max(f.least, 100), 10)
	case reflect.Float64:
		return "0.5"
	case reflect.Slice:
		return "[" + f.sample(t.Elem()) + "]"
	case reflect.Map:
		return "{ name = " + f.sample(t.Elem()) + " }"
	}
	return "{ " + strings.Join(firstNames(t), " = …, ") + " = … }"
}

// firstNames returns the keys that a table must have, or else its first.
func firstNames(t reflect.Type) []string {
	fields := fieldsOf(t)
	needed := slices.DeleteFunc(slices.Clone(fields), func(f field) bool { return !f.required })
	if len(needed) == 0 {
		needed = fields[:1]
	}
	return namesOf(needed)
}

// wanted returns the kinds that a value of a type can be written as.
func wanted(t reflect.Type) []kind {
	if isText(t) {
		return []kind{kindText}
	}
	if _, ok := shortOf(t); ok {
		return []kind{kindList, kindTable}
	}
	switch t.Kind() {
	case reflect.Bool:
		return []kind{kindBool}
	case reflect.Int, reflect.Int64:
		return []kind{kindInteger}
	case reflect.Float64:
		return []kind{kindFloat, kindInteger}
	case reflect.Slice:
		return []kind{kindList}
	}
	return []kind{kindTable}
}
