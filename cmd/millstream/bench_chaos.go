package main

import (
	"fmt"
	"strconv"
	"strings"

	"millstream/bench/load"
)

// parseChaos parses shares of messages: abort=1%,reset=0.5%.
func parseChaos(s string) (load.Chaos, error) {
	var c load.Chaos
	if s == "" {
		return c, nil
	}
	shares := []struct {
		name  string
		share *float64
	}{{"abort", &c.Abort}, {"reset", &c.Reset}, {"unknown", &c.Unknown}, {"slow-reader", &c.SlowRead}}
	given := map[string]bool{}
	for field := range strings.SplitSeq(s, ",") {
		name, text, _ := strings.Cut(field, "=")
		name = strings.TrimSpace(name)
		var share *float64
		names := make([]string, len(shares))
		for i, known := range shares {
			if names[i] = known.name; known.name == name {
				share = known.share
			}
		}
		switch {
		case share == nil:
			return c, fmt.Errorf("--chaos: %q is not known; write a list such as abort=1%%,reset=0.5%% of %s",
				name, strings.Join(names, ", "))
		case given[name]:
			return c, fmt.Errorf("--chaos: %s comes twice", name)
		}
		given[name] = true
		var err error
		if *share, err = parseShare(name, text); err != nil {
			return c, err
		}
	}
	if all := c.Abort + c.Reset + c.Unknown + c.SlowRead; all > 1 {
		return c, fmt.Errorf("--chaos: the shares make up %.4g%%; 100%% is all messages, each of which has one of them only", all*100)
	}
	return c, nil
}

// parseShare parses a percentage.
func parseShare(name, text string) (float64, error) {
	number, found := strings.CutSuffix(strings.TrimSpace(text), "%")
	percent, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if !found || err != nil || !(percent >= 0 && percent <= 100) {
		return 0, fmt.Errorf("--chaos: %s=%s is no share of the messages; write one from 0%% to 100%%, such as %s=1%%", name, text, name)
	}
	return percent / 100, nil
}
