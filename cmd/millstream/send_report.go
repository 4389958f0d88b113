package main

import (
	"context"
	"time"

	"millstream/netio/mta"
	"millstream/protocol"
)

// A sendStage is one command and its answer.
type sendStage struct {
	code     protocol.Code
	argument string
	answer   string
	text     string // the SMTP reply of a refusal, if there is one
	answered bool
	took     time.Duration
}

// A sendReport is what there is to tell of a mail.
type sendReport struct {
	plan    *sendPlan
	agreed  protocol.Options
	lists   protocol.MacroLists
	stages  []sendStage
	outcome mta.Outcome
	changes []sendChange
	before  letter
	after   letter
	notes   []string
	err     error // why there is no verdict
}

// deliver sends a mail and applies the changes.
func deliver(ctx context.Context, p *sendPlan) *sendReport {
	r := &sendReport{plan: p, notes: p.notes}
	d := &sendDialog{sendReport: r, ctx: ctx, macros: &p.macros}
	if r.err = d.open(); r.err == nil {
		stop := context.AfterFunc(ctx, func() { _ = d.conn.SetDeadline(time.Unix(1, 0)) })
		defer stop()
		defer d.conn.Close() //nolint:errcheck // the verdict is known
		d.talk()
	}
	if r.err != nil {
		r.err = d.explain(r.err)
		return r
	}
	r.before = newLetter(p, r.outcome.Refused)
	r.after = r.before.clone()
	leading := r.agreed.Steps.Has(protocol.StepHeaderLeadingSpace)
	r.changes = r.after.apply(r.outcome.Changes, leading, p.dialect == mta.Sendmail)
	if r.outcome.Taken() {
		r.notes = append(r.notes, r.after.oddities()...)
	}
	return r
}

// A sendVerdict is what became of a mail, in words.
type sendVerdict struct {
	word string // for scripts, too
	exit int
	text string // what MTAs tell the SMTP client if the milter has no text
}

// verdict returns what became of the mail.
func (r *sendReport) verdict() sendVerdict {
	switch r.outcome.Status {
	case protocol.StatusReject:
		return sendVerdict{"rejected", exitRejected, "550 5.7.1 Command rejected"}
	case protocol.StatusTempFail:
		return sendVerdict{"tempfailed", exitTempFailed, "451 4.7.1 Service unavailable - try again later"}
	case protocol.StatusDiscard:
		return sendVerdict{"discarded", exitDiscarded, ""}
	}
	if r.after.isHeld {
		return sendVerdict{"quarantined", exitQuarantined, ""}
	}
	return sendVerdict{"taken", 0, ""}
}

// exitStatus returns the exit status that stands for the verdict.
func (r *sendReport) exitStatus() int { return r.verdict().exit }

// verdictLine returns the verdict with its text.
func (r *sendReport) verdictLine() string {
	v := r.verdict()
	switch {
	case r.outcome.Text != "":
		return v.word + ": " + oneLine(r.outcome.Text)
	case v.exit == exitQuarantined:
		return v.word + ": " + oneLine(r.after.held)
	}
	return v.word
}
