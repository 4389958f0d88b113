package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"millstream/bench/load"
)

// format names what [JSON] writes: its number goes up when a field changes or goes,
// and not when one is added.
const format = formatName + "1"

const formatName = "millstream-bench/"

// JSON writes a run so that [ReadJSON] gives it back and other programs can read it.
// The names of fields have their units, bytes are bytes, and each latency has its
// histogram of nanoseconds beside the numbers drawn from it: base64 of what
// HdrHistogram calls V2, compressed.
func JSON(w io.Writer, r *load.Result) error {
	out, err := newRun(r)
	if err != nil {
		return err
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

// ReadJSON reads what [JSON] wrote. Nothing is lost but what is smaller than a
// nanosecond.
func ReadJSON(rd io.Reader) (*load.Result, error) {
	data, err := io.ReadAll(rd)
	if err != nil {
		return nil, err
	}
	var head struct {
		Format string `json:"format"`
	}
	wrong := json.Unmarshal(data, &head)
	version, ours := strings.CutPrefix(head.Format, formatName)
	switch {
	case wrong != nil && strings.Contains(string(data), formatName):
		return nil, fmt.Errorf("the report is damaged or was cut short: %w; write it again", wrong)
	case wrong != nil || !ours:
		return nil, errors.New("not a report of millstream bench; give the file in JSON that it wrote, " +
			`which has "format": "` + format + `"`)
	case head.Format != format:
		return nil, fmt.Errorf("the report has version %q of its format and this program reads %q; "+
			"read it with the millstream that wrote it, or run the load again", version, format[len(formatName):])
	}
	var in runJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, fmt.Errorf("the report is damaged: %w; write it again", err)
	}
	r, err := in.result()
	if err != nil {
		return nil, fmt.Errorf("the report is damaged: %w; write it again", err)
	}
	return r, nil
}
