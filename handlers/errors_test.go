package handlers_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

func TestErrors(t *testing.T) {
	op := func(err error) error {
		return &handlers.OpError{
			Op: "add-header", State: protocol.StateEndOfMessage, Need: protocol.ActionAddHeaders, Err: err,
		}
	}
	tests := []struct {
		err  error
		text string
		is   []error
	}{
		{handlers.ErrNull, "milter: missing argument", nil},
		{handlers.ErrIO, "milter: input or output failed", nil},
		{handlers.ErrBodyInterleaved, "milter: another change within the body", []error{protocol.ErrInvalidState}},
		{handlers.ErrStaleResponse, "milter: answer no longer wanted", nil},
		{handlers.ErrAborted, "milter: message aborted", []error{handlers.ErrStaleResponse}},
		{handlers.ErrTimeout, "milter: timeout", []error{os.ErrDeadlineExceeded}},
		{handlers.ErrSessionClosed, "milter: session closed", []error{net.ErrClosed}},
		{op(protocol.ErrInvalidAction), "milter: action not agreed on: add-header needs add-headers", []error{protocol.ErrInvalidAction}},
		{op(protocol.ErrInvalidState), "milter: not in this state: add-header in state end-of-message", []error{protocol.ErrInvalidState}},
		{op(handlers.ErrBodyInterleaved), "milter: another change within the body: add-header in state end-of-message", []error{
			handlers.ErrBodyInterleaved, protocol.ErrInvalidState,
		}},
		{&handlers.PanicError{Value: "no"}, "milter: handler panicked: no", nil},
		{&handlers.PanicError{Value: io.EOF}, "milter: handler panicked: EOF", []error{io.EOF}},
		{
			&handlers.SlowError{Event: handlers.KindHeader, Took: time.Second},
			"milter: handler held the event loop for 1s at header: use Go or Blocking", nil,
		},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.text {
			t.Errorf("%T: %q, want %q", tt.err, got, tt.text)
		}
		for _, target := range tt.is {
			if !errors.Is(tt.err, target) {
				t.Errorf("%v is not %v", tt.err, target)
			}
		}
	}
	if errors.Is(&handlers.PanicError{Value: "no"}, io.EOF) {
		t.Error("a panic is an error that it is not")
	}
}
