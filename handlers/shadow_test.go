package handlers_test

import (
	"io"
	"reflect"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// TestShadow makes every change there is to a shadow: the message goes out as it came,
// and the changes are told.
func TestShadow(t *testing.T) {
	var changes *handlers.Result
	h := handlers.On(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
		shadow, told := m.Shadow()
		shadow.AddHeader("A", "1")
		shadow.InsertHeader(0, "B", "2")
		shadow.ChangeHeader("C", 1, "3")
		shadow.DeleteHeader("D", 1)
		shadow.ChangeFrom("<x@y>")
		shadow.AddRecipient("<new@y>")
		shadow.DeleteRecipient("<old@y>")
		_, _ = io.WriteString(shadow.Body(), "body")
		shadow.Quarantine("held")
		shadow.Progress()
		shadow.Flush()
		changes = told()
		if err := shadow.Err(); err != nil {
			t.Error(err)
		}
		m.AddHeader("Real", "1")
		return handlers.Continue
	})
	s := handlertest.New(t, h)
	out := s.Send(handlertest.Mail{From: "<a@b>", To: []string{"<c@d>"}})
	if len(out.Changes) != 1 || string(out.Changes[0].Name) != "Real" {
		t.Errorf("changes %v", out.Changes)
	}
	want := &handlers.Result{
		AddedHeaders:   []handlers.Field{{Name: "A", Value: "1"}, {Name: "B", Value: "2"}, {Name: "C", Value: "3"}},
		RemovedHeaders: []string{"D"}, ChangedFrom: "<x@y>", AddedRecipients: []string{"<new@y>"},
		DeletedRecipients: []string{"<old@y>"}, NewBodySize: 4, Quarantined: true, QuarantineReason: "held",
	}
	if !reflect.DeepEqual(changes, want) {
		t.Errorf("%+v\nwant\n%+v", changes, want)
	}
	if r := s.Results()[0]; r.Quarantined || len(r.AddedHeaders) != 1 || r.ChangedFrom != "" {
		t.Errorf("result %+v", r)
	}
}

// TestShadowFails checks that a change that cannot be made is an error of the shadow, and
// not of the message.
func TestShadowFails(t *testing.T) {
	s := handlertest.New(t, handlers.On(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
		shadow, _ := m.Shadow()
		shadow.AddHeader("bad name", "")
		if shadow.Err() == nil || m.Err() != nil {
			t.Errorf("errors %v, %v", shadow.Err(), m.Err())
		}
		return handlers.Continue
	}))
	if out := s.Send(handlertest.Mail{From: "<a@b>", To: []string{"<c@d>"}}); out.Status != protocol.StatusContinue {
		t.Errorf("status %v", out.Status)
	}
}
