package config

import (
	"encoding/json"
	"reflect" //nolint:depguard // see field.go

	"github.com/google/jsonschema-go/jsonschema"
)

// Patterns of what is written as a string and is more. A string with a variable of the
// environment in it may come to anything.
const (
	patternVariable = `^[^$]*\$\{.*$`
	patternDuration = `^(0|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$|` + patternVariable
	patternSize     = `^[0-9]+ ?(B|KiB|MiB|GiB)$|` + patternVariable
	patternNetwork  = `^[0-9A-Fa-f:.]+(/[0-9]+)?$|` + patternVariable
	patternMode     = `^[0-7]+$|` + patternVariable
)

// Schema returns a JSON Schema (draft 2020-12) of the file, for editors and for programs
// that write it. It has all keys, with what they are for, their defaults, and the words
// and numbers that they may be.
func Schema(types []Type) *jsonschema.Schema {
	s := structSchema(reflect.ValueOf(defaults()).Elem())
	s.Schema = "https://json-schema.org/draft/2020-12/schema"
	s.Title = "millstream configuration"
	var kinds []*jsonschema.Schema
	for _, t := range types {
		common := defaultHandler(t.Failing)
		one := structSchema(reflect.ValueOf(&common).Elem())
		own := structSchema(reflect.ValueOf(t.New()).Elem())
		for _, name := range own.PropertyOrder {
			one.Properties[name] = own.Properties[name]
		}
		one.PropertyOrder = append(one.PropertyOrder, own.PropertyOrder...)
		one.Required = append(one.Required, own.Required...)
		one.Title, one.Description = t.Name, t.Doc
		one.Properties["type"].Const = jsonschema.Ptr[any](t.Name)
		kinds = append(kinds, one)
	}
	s.Properties["handler"].Items = &jsonschema.Schema{OneOf: kinds}
	return s
}

// structSchema returns the schema of a table, whose defaults are those of v.
func structSchema(v reflect.Value) *jsonschema.Schema {
	s := &jsonschema.Schema{
		Type: "object", Properties: make(map[string]*jsonschema.Schema),
		AdditionalProperties: &jsonschema.Schema{Not: new(jsonschema.Schema)},
	}
	for _, f := range fieldsOf(v.Type()) {
		p := f.schema(v.Field(f.index))
		p.Description = f.doc
		s.Properties[f.name] = p
		s.PropertyOrder = append(s.PropertyOrder, f.name)
		if f.required {
			s.Required = append(s.Required, f.name)
		}
	}
	return s
}

// schema returns the schema of a setting with a default.
func (f *field) schema(v reflect.Value) *jsonschema.Schema {
	s := new(jsonschema.Schema)
	switch t := v.Type(); {
	case isText(t):
		s.Type = "string"
		s.Pattern = map[reflect.Type]string{durationType: patternDuration, sizeType: patternSize, modeType: patternMode, networkType: patternNetwork}[t]
		if len(f.words) > 0 {
			words := make([]any, len(f.words))
			for i, w := range f.words {
				words[i] = w
			}
			s.AnyOf = []*jsonschema.Schema{{Enum: words}, {Pattern: patternVariable}}
		}
		if !v.IsZero() {
			s.Default = jsonOf(textOf(v))
		}
		return s
	case t.Kind() == reflect.Struct:
		list, ok := shortOf(t)
		if !ok {
			return structSchema(v)
		}
		s.AnyOf = []*jsonschema.Schema{list.schema(v.Field(list.index)), structSchema(v)}
		return s
	case t.Kind() == reflect.Slice:
		s.Type = "array"
		s.Items = f.schema(reflect.New(t.Elem()).Elem())
		return s
	case t.Kind() == reflect.Map:
		s.Type = "object"
		s.AdditionalProperties = f.schema(reflect.New(t.Elem()).Elem())
		return s
	case t.Kind() == reflect.Bool:
		s.Type = "boolean"
	case isInteger(t):
		s.Type = "integer"
		f.limits(s)
	default:
		s.Type = "number"
		f.limits(s)
	}
	if !f.omitEmpty {
		s.Default = jsonOf(v.Interface())
	}
	return s
}

// limits says which numbers are allowed.
func (f *field) limits(s *jsonschema.Schema) {
	s.Minimum, s.Maximum = new(float64(f.least)), new(float64(f.most))
}

func jsonOf(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings, numbers and truth values have a form
	}
	return text
}
