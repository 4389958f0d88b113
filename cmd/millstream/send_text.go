package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"millstream/protocol"
)

// printVerdict prints the verdict and its text, if there is one.
func printVerdict(w io.Writer, r *sendReport) error {
	if r.err != nil { // is told on standard error
		return nil //nolint:nilerr // is no error of printing
	}
	_, err := fmt.Fprintln(w, r.verdictLine())
	return err
}

// printText prints the report for people. Without an agreement there is nothing to
// tell.
func printText(w io.Writer, r *sendReport) error {
	if r.agreed.Version == 0 {
		return nil
	}
	var b bytes.Buffer
	r.textAgreed(&b)
	r.textStages(&b)
	if r.err == nil {
		r.textVerdict(&b)
	}
	for _, note := range r.notes {
		fmt.Fprintf(&b, "Note         %s\n", printable(note))
	}
	if r.err == nil && r.outcome.Taken() {
		r.textDelivered(&b)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// textAgreed prints what was agreed on.
func (r *sendReport) textAgreed(w io.Writer) {
	fmt.Fprintf(w, "Milter       %s, as from %s\n", r.plan.socket, r.plan.dialect)
	fmt.Fprintf(w, "Version      %d of %d\n", r.agreed.Version, r.plan.offer.Version)
	fmt.Fprintf(w, "Actions      %s\n", strings.Join(orNone(bitNames(r.agreed.Actions)), ", "))
	fmt.Fprintf(w, "Steps        %s\n", strings.Join(orNone(bitNames(r.agreed.Steps)), ", "))
	title := "Macros"
	for _, stage := range r.askedStages() {
		fmt.Fprintf(w, "%-12s %s: %s\n", title, stage, strings.Join(orNone(r.lists[stage]), " "))
		title = ""
	}
	if title != "" {
		fmt.Fprintf(w, "%-12s as the MTA likes\n", title)
	}
}

// askedStages returns the stages that the milter asked macros for, in order of time.
func (r *sendReport) askedStages() []protocol.Stage {
	var stages []protocol.Stage
	for _, s := range []protocol.Stage{
		protocol.StageConnect, protocol.StageHelo, protocol.StageMail, protocol.StageRcpt,
		protocol.StageData, protocol.StageEndOfHeader, protocol.StageEndOfMessage,
	} {
		if r.lists[s] != nil {
			stages = append(stages, s)
		}
	}
	return stages
}

// textStages prints the answers as a table. Headers that are answered alike are one
// line, and so are pieces of a body.
func (r *sendReport) textStages(w io.Writer) {
	var table strings.Builder
	t := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\nSTAGE\tANSWER\t%9s\t\n", "TOOK")
	for i := 0; i < len(r.stages); {
		st, n := r.stages[i], 1
		for n < len(r.stages)-i && st.joins(&r.stages[i+n]) {
			st.took += r.stages[i+n].took
			n++
		}
		what := st.argument
		if n > 1 {
			what = fmt.Sprintf("%d of them", n)
		}
		if st.text != "" {
			what = strings.TrimSpace(what + "  " + oneLine(st.text))
		}
		took := "-"
		if st.answered {
			took = st.took.Round(time.Microsecond).String()
		}
		fmt.Fprintf(t, "%s\t%s\t%9s\t%s\n", st.code, st.answer, took, oneLine(what))
		i += n
	}
	t.Flush()
	for line := range strings.Lines(table.String()) {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
	fmt.Fprintln(w)
}

// joins reports whether both can be one line.
func (st *sendStage) joins(next *sendStage) bool {
	several := st.code == protocol.CodeHeader || st.code == protocol.CodeBody
	return several && next.code == st.code && next.answer == st.answer && next.text == st.text
}

// textVerdict prints the refused recipients, the verdict and the changes.
func (r *sendReport) textVerdict(w io.Writer) {
	for _, ref := range r.outcome.Refused {
		fmt.Fprintf(w, "Refused      %s: %v %s\n", printable(r.plan.mail.To[ref.Recipient].Addr.String()),
			ref.Status, oneLine(ref.Text))
	}
	v := r.verdict()
	fmt.Fprintf(w, "Verdict      %s, at %v", v.word, r.outcome.Stage)
	switch {
	case r.outcome.Text != "":
		for line := range strings.SplitSeq(r.outcome.Text, "\r\n") {
			fmt.Fprintf(w, "\n             %s", oneLine(line))
		}
	case r.after.isHeld && r.outcome.Taken():
		fmt.Fprintf(w, ": %s", oneLine(r.after.held))
	case v.text != "":
		fmt.Fprintf(w, ", without a text; Postfix then says\n             %s", v.text)
	}
	fmt.Fprintln(w)
	title := "Changes"
	if !r.outcome.Taken() {
		title = "Not made" // MTAs forget the changes to what they do not take
	}
	for i := range r.changes {
		for n, line := range strings.Split(r.changes[i].String(), "\n") {
			if n > 0 { // a folded header
				line = "    " + strings.TrimLeft(line, " \t")
			}
			fmt.Fprintf(w, "%-12s %s\n", title, line)
			title = ""
		}
	}
}

// textDelivered prints what the changes come to.
func (r *sendReport) textDelivered(w io.Writer) {
	switch d := diff(&r.before, &r.after); {
	case d != "":
		fmt.Fprintf(w, "\n%s", d)
	case len(r.changes) == 0:
		fmt.Fprintln(w, "Changes      none: delivered as it was sent")
	default:
		fmt.Fprintln(w, "\nNothing of this shows in the mail: delivered as it was sent")
	}
}

// orNone returns a list in which something stands.
func orNone(list []string) []string {
	if len(list) == 0 {
		return []string{"none"}
	}
	return list
}

// oneLine returns text of several lines as one.
func oneLine(s string) string {
	return printable(strings.NewReplacer("\r\n", " / ", "\n", " ").Replace(s))
}
