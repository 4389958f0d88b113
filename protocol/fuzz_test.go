package protocol

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// FuzzDecode decodes any payload as any command. What is understood is sent again,
// and must then be the same.
func FuzzDecode(f *testing.F) {
	vectors := allVectors(f)
	for _, name := range vectors.names {
		code, body, _, _ := Frame(vectors.packets[name], DefaultMaxPacketSize)
		f.Add(byte(code), []byte(body))
	}
	for _, tt := range decoderTests {
		f.Add(byte(tt.code), []byte(tt.body))
	}
	f.Fuzz(func(t *testing.T, code byte, body []byte) {
		before := bytes.Clone(body)
		var d, d2 Decoder
		got, err := d.Decode(Code(code), body)
		if err != nil {
			fault, ok := errors.AsType[*DecodeError](err)
			if !ok || !errors.Is(err, ErrProtocol) || fault.Code != Code(code) {
				t.Errorf("error %#v", err)
			}
			return
		}
		if got.Code() != Code(code) || !Code(code).IsCommand() {
			t.Fatalf("%q is taken for %v", code, got.Code())
		}
		packet := got.Append(nil)
		again, err := d2.Decode(openPacket(t, packet))
		if err != nil || !reflect.DeepEqual(got, again) {
			t.Errorf("%#v sent again is %#v, error %v", got, again, err)
		}
		if _, isConnect := got.(*Connect); !isConnect && !bytes.HasPrefix(body, packet[HeaderSize:]) {
			t.Errorf("%q sent again is %q", body, packet[HeaderSize:])
		}
		if clone := got.Clone(); !reflect.DeepEqual(got, clone) {
			t.Errorf("clone of %#v is %#v", got, clone)
		}
		if !bytes.Equal(body, before) {
			t.Errorf("%q was written over: %q", before, body)
		}
		readAll(got)
	})
}

// readAll calls what yields parts of a command.
func readAll(c Command) {
	switch c := c.(type) {
	case *Macro:
		for range c.All() {
		}
	case *MailFrom:
		c.Mailbox()
		c.Params.Lookup("SIZE")
	case *RcptTo:
		c.Mailbox()
		c.Params.Strings()
	case *Connect:
		_ = c.Addr.String()
	}
}

// FuzzAnswer decodes any payload as any answer. What is understood, and may be
// sent, is sent again and must then be the same.
func FuzzAnswer(f *testing.F) {
	vectors := allVectors(f)
	for _, name := range vectors.names {
		code, body, _, _ := Frame(vectors.packets[name], DefaultMaxPacketSize)
		f.Add(byte(code), []byte(body))
	}
	f.Fuzz(func(t *testing.T, code byte, body []byte) {
		before := bytes.Clone(body)
		a, err := DecodeAnswer(Code(code), body)
		if err != nil {
			fault, ok := errors.AsType[*DecodeError](err)
			if !ok || !errors.Is(err, ErrProtocol) || fault.Code != Code(code) || !reflect.DeepEqual(a, Answer{}) {
				t.Errorf("error %#v, answer %+v", err, a)
			}
			return
		}
		if !bytes.Equal(body, before) {
			t.Errorf("%q was written over: %q", before, body)
		}
		if clone := a.Clone(); !reflect.DeepEqual(a, clone) || a.IsFinal() != clone.IsFinal() || a.Status() != clone.Status() {
			t.Errorf("clone of %+v is %+v", a, clone)
		}
		packet, ok := sendAgain(a)
		if !ok {
			return
		}
		again, err := DecodeAnswer(openPacket(t, packet))
		if err != nil || !reflect.DeepEqual(a, again) {
			t.Errorf("%+v sent again is %+v, error %v", a, again, err)
		}
	})
}

// sendAgain returns the packet of a. It is not ok if there is no way to send it,
// or if it is refused.
func sendAgain(a Answer) (packet []byte, ok bool) {
	var err error
	name, value := a.Name.String(), a.Value.String()
	switch a.Code {
	case CodeNegotiate:
		agreement := Agreement{Wire: a.Offer, Macros: a.Macros}
		return agreement.Append(nil), a.Offer.Actions.Has(ActionSetSymbolList) || a.Macros.Empty()
	case CodeAddHeader:
		packet, err = AppendAddHeader(nil, name, value)
	case CodeInsertHeader:
		packet, err = AppendInsertHeader(nil, int(a.Index), name, value)
	case CodeChangeHeader:
		packet, err = AppendChangeHeader(nil, name, int(a.Index), value)
	case CodeChangeFrom:
		if a.Value == nil {
			packet, err = AppendChangeFrom(nil, name)
		} else {
			packet, err = AppendChangeFrom(nil, name, strings.Split(value, " ")...)
		}
	case CodeAddRecipient:
		packet, err = AppendAddRecipient(nil, name)
	case CodeAddRecipientParams:
		packet, err = AppendAddRecipient(nil, name, strings.Split(value, " ")...)
	case CodeDeleteRecipient:
		packet, err = AppendDeleteRecipient(nil, name)
	case CodeQuarantine:
		packet, err = AppendQuarantine(nil, name)
	case CodeReplaceBody:
		return AppendReplaceBody(nil, a.Value), len(a.Value) <= MaxBodyChunk
	case CodeProgress:
		packet = AppendProgress(nil)
	case CodeShutdown:
		packet = AppendShutdown(nil)
	case CodeConnectionFailure:
		packet = AppendConnectionFailure(nil)
	case CodeReplyText:
		return nil, false // its parts are not kept
	default:
		packet = AppendReply(nil, a.Status(), nil)
	}
	// A CR before LF is not sent, so that it does not come back.
	return packet, err == nil && !strings.Contains(value, "\r\n")
}
