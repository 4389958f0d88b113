package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// dashboardFile and alertsFile are what is made of the metrics.
const (
	dashboardFile = "monitoring/dashboard.json"
	alertsFile    = "monitoring/alerts.yml"
)

var (
	metricName = regexp.MustCompile(`\b(milter|go|otel)_[a-z_]+`)
	byLabels   = regexp.MustCompile(`by \(([a-z_, ]+)\)`)
	matched    = regexp.MustCompile(`\b(milter_reason|milter_limit)=~?"([a-z|-]+)"`)
)

// toldNames returns the names of metrics and labels that a server tells, and the labels
// with their values, as in what is scraped from one that has done some messages.
func toldNames(t *testing.T) (metrics, labels, pairs map[string]bool) {
	t.Helper()
	startCollector(t) // there are more with everything on
	o, told := scrapedSession(t)
	feed(o, 0, 8)
	text, _ := scrape(t, told, "")
	metrics, labels, pairs = map[string]bool{}, map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, rest, _ := strings.Cut(line, "{")
		name, _, _ = strings.Cut(name, " ")
		metrics[name] = true
		rest, _, _ = strings.Cut(rest, "}")
		for pair := range strings.SplitSeq(rest, ",") {
			label, _, _ := strings.Cut(pair, "=")
			labels[label], pairs[pair] = true, true
		}
	}
	return metrics, labels, pairs
}

// The dashboard and the alerts ask for metrics, labels and values that there are.
func TestMonitoringNames(t *testing.T) {
	metrics, labels, pairs := toldNames(t)
	labels["instance"], labels["job"] = true, true // those of Prometheus itself
	for _, file := range []string{dashboardFile, alertsFile} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		names := 0
		for _, expr := range expressions(t, file, text) {
			for _, name := range metricName.FindAllString(expr, -1) {
				if labels[name] {
					continue
				}
				names++
				if !metrics[name] {
					t.Errorf("%s: no metric %s, in %s", file, name, expr)
				}
			}
			for _, match := range matched.FindAllStringSubmatch(expr, -1) {
				for value := range strings.SplitSeq(match[2], "|") {
					if pair := fmt.Sprintf("%s=%q", match[1], value); !pairs[pair] {
						t.Errorf("%s: no %s, in %s", file, pair, expr)
					}
				}
			}
			for _, by := range byLabels.FindAllStringSubmatch(expr, -1) {
				for label := range strings.FieldsFuncSeq(by[1], func(r rune) bool { return r == ',' || r == ' ' }) {
					if !labels[label] {
						t.Errorf("%s: no label %s, in %s", file, label, expr)
					}
				}
			}
		}
		if names == 0 {
			t.Errorf("%s asks for nothing", file)
		}
	}
}

// expressions returns what a file asks Prometheus.
func expressions(t *testing.T, file string, text []byte) (list []string) {
	t.Helper()
	if file == alertsFile {
		for _, rule := range strings.Split(string(text), "- alert:")[1:] {
			_, expr, _ := strings.Cut(rule, "expr:")
			expr, _, _ = strings.Cut(expr, "for:")
			list = append(list, expr)
		}
		return list
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			list = append(list, target.Expr)
		}
	}
	return list
}

// Prometheus takes the alerts.
func TestAlertRules(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed: apt install prometheus")
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", alertsFile).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
