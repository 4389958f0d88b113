package main

import (
	"encoding/json"
	"io"
	"strings"
	"time"

	"millstream/protocol"
)

// The document of --format json. Names in it are the protocol's words.
type (
	jsonReport struct {
		Milter     string              `json:"milter"`
		Error      string              `json:"error,omitempty"`
		Offered    jsonOptions         `json:"offered"`
		Agreed     *jsonOptions        `json:"agreed,omitempty"`
		Macros     map[string][]string `json:"macros,omitempty"`
		Stages     []jsonStage         `json:"stages"`
		Verdict    *jsonVerdict        `json:"verdict,omitempty"`
		Refused    []jsonRefusal       `json:"refused"`
		Changes    []sendChange        `json:"changes"`
		Delivered  *jsonLetter         `json:"delivered,omitempty"`
		Diff       string              `json:"diff,omitempty"`
		Notes      []string            `json:"notes,omitempty"`
		ExitStatus int                 `json:"exit_status"`
	}
	jsonOptions struct {
		Version uint32   `json:"version"`
		Actions []string `json:"actions"`
		Steps   []string `json:"steps"`
	}
	jsonStage struct {
		Stage    string  `json:"stage"`
		Argument string  `json:"argument,omitempty"`
		Answer   string  `json:"answer"` // or why there is none
		Answered bool    `json:"answered"`
		Text     string  `json:"text,omitempty"`
		TookMS   float64 `json:"took_ms"`
	}
	jsonVerdict struct {
		Verdict    string `json:"verdict"`
		Stage      string `json:"stage"`
		Text       string `json:"text,omitempty"`
		Quarantine string `json:"quarantine,omitempty"`
	}
	jsonRefusal struct {
		Recipient string `json:"recipient"`
		Status    string `json:"status"`
		Text      string `json:"text,omitempty"`
	}
	jsonLetter struct {
		From    jsonMailbox   `json:"from"`
		To      []jsonMailbox `json:"to"`
		Headers []jsonHeader  `json:"headers"`
		Body    string        `json:"body"`
	}
	jsonMailbox struct {
		Address string   `json:"address"`
		Params  []string `json:"params,omitempty"`
	}
	jsonHeader struct {
		Name  string `json:"name"`
		Value string `json:"value"` // without white space around it
	}
)

// printJSON prints the report as one document.
func printJSON(w io.Writer, r *sendReport) error {
	doc := jsonReport{
		Milter: r.plan.socket, Offered: newJSONOptions(r.plan.offer.Normal()), Stages: []jsonStage{},
		Refused: []jsonRefusal{}, Changes: []sendChange{}, Notes: r.notes,
	}
	if r.agreed.Version > 0 {
		agreed := newJSONOptions(r.agreed)
		doc.Agreed, doc.Macros = &agreed, map[string][]string{}
		for _, stage := range r.askedStages() {
			doc.Macros[stage.String()] = r.lists[stage]
		}
	}
	for _, st := range r.stages {
		doc.Stages = append(doc.Stages, jsonStage{
			st.code.String(), st.argument, st.answer, st.answered, st.text,
			float64(st.took.Round(time.Microsecond)) / float64(time.Millisecond),
		})
	}
	if r.err != nil {
		doc.Error, doc.ExitStatus = r.err.Error(), exitCode(r.err)
	} else {
		r.fillJSON(&doc)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(&doc)
}

// fillJSON fills in what there is after a verdict.
func (r *sendReport) fillJSON(doc *jsonReport) {
	v := r.verdict()
	doc.ExitStatus = v.exit
	doc.Verdict = &jsonVerdict{v.word, r.outcome.Stage.String(), r.outcome.Text, ""}
	for _, ref := range r.outcome.Refused {
		addr := r.plan.mail.To[ref.Recipient].Addr.String()
		doc.Refused = append(doc.Refused, jsonRefusal{addr, ref.Status.String(), ref.Text})
	}
	doc.Changes = append(doc.Changes, r.changes...)
	if !r.outcome.Taken() {
		return
	}
	doc.Verdict.Quarantine = r.after.held
	doc.Diff = diff(&r.before, &r.after)
	l := &jsonLetter{
		From: jsonMailbox{r.after.from.addr, r.after.from.params},
		To:   []jsonMailbox{}, Headers: []jsonHeader{}, Body: string(r.after.body),
	}
	for _, to := range r.after.to {
		l.To = append(l.To, jsonMailbox{to.addr, to.params})
	}
	for _, f := range r.after.fields {
		if !f.own && !f.gone {
			l.Headers = append(l.Headers, jsonHeader{f.name, strings.TrimSpace(f.value)})
		}
	}
	doc.Delivered = l
}

func newJSONOptions(o protocol.Options) jsonOptions {
	return jsonOptions{o.Version, bitNames(o.Actions), bitNames(o.Steps)}
}
