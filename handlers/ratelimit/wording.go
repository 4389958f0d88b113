package ratelimit

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"millstream/handlers"
	"millstream/handlers/store"
	"millstream/handlers/when"
)

// values are what a text can tell of a limit that is reached.
type values struct {
	limit  int64
	window time.Duration
	until  time.Time     // when as much fits again, if nothing else comes
	wait   time.Duration // how long that is
}

// values returns the values of n that did not fit.
func (l *limit) values(n int64, total store.Total) values {
	v := values{limit: l.most, window: l.Window, until: total.Ends}
	if l.window.Sliding {
		// When the present window ends, all of it is in the one before, which then goes
		// evenly: n fits when as much has gone.
		part := min(1, float64(n)/float64(v.limit))
		v.until = v.until.Add(time.Duration(part * float64(l.Window)))
	}
	v.until = v.until.Add(time.Second - 1).Truncate(time.Second)
	v.wait = max(0, time.Until(v.until)).Round(time.Second)
	return v
}

// duration returns a time without the zeros at its end: 1h and not 1h0m0s.
func duration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// A wording is a text with values and expressions in it.
type wording struct {
	text     *when.Text
	location *time.Location
}

// The names of values in a text, and how they stand there while the expressions around
// them are worked out: as long as before, so that mistakes are told with their place.
var (
	valueNames   = regexp.MustCompile(`\{\{(\s*(?:limit|window|until|wait)\s*)\}\}`)
	valueMarkers = regexp.MustCompile(`%\{\s*(limit|window|until|wait)\s*%\}`)
)

// newWording compiles a text.
func newWording(source string, known *when.Names) (*wording, error) {
	text, err := when.Template(valueNames.ReplaceAllString(source, "%{$1%}"), known)
	if err != nil {
		return nil, err
	}
	w := &wording{text: text, location: time.Local}
	if known != nil && known.Location != nil {
		w.location = known.Location
	}
	return w, nil
}

// defaultText is what is said if the settings do not.
func defaultText(l *Limit) string {
	return "limit of {{limit}} " + l.What + " in {{window}} is reached, please try again after {{until}}"
}

// maxLine is how long a line may become. MTAs take 512 bytes with the codes.
const maxLine = 480

// line returns the text for a reply or a reason.
func (w *wording) line(s *handlers.Session, v values) string {
	text, err := w.text.Reply(s)
	if err != nil {
		text = "limit of %{limit%} in %{window%} is reached" // the verdict is worth more than its words
	}
	text = valueMarkers.ReplaceAllStringFunc(text, func(name string) string {
		switch strings.Trim(name, "%{} ") {
		case "limit":
			return strconv.FormatInt(v.limit, 10)
		case "window":
			return duration(v.window)
		case "until":
			return v.until.In(w.location).Format(time.RFC1123Z)
		}
		return duration(v.wait)
	})
	return text[:min(len(text), maxLine)]
}
