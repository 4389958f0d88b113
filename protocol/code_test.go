package protocol

import "testing"

// codeTable has every code: its byte, its word, and whether it is a command for
// which macros can be defined.
var codeTable = []struct {
	code      Code
	byte      byte
	name      string
	command   bool
	hasMacros bool
}{
	{CodeNegotiate, 'O', "negotiate", true, false},
	{CodeMacro, 'D', "define-macro", true, false},
	{CodeConnect, 'C', "connect", true, true},
	{CodeHelo, 'H', "helo", true, true},
	{CodeMailFrom, 'M', "envelope-from", true, true},
	{CodeRcptTo, 'R', "envelope-recipient", true, true},
	{CodeData, 'T', "data", true, true},
	{CodeUnknown, 'U', "unknown", true, true},
	{CodeHeader, 'L', "header", true, true},
	{CodeEndOfHeader, 'N', "end-of-header", true, true},
	{CodeBody, 'B', "body", true, true},
	{CodeEndOfMessage, 'E', "end-of-message", true, true},
	{CodeAbort, 'A', "abort", true, false},
	{CodeQuit, 'Q', "quit", true, false},
	{CodeQuitNewConnection, 'K', "quit-new-connection", true, false},

	{CodeContinue, 'c', "continue", false, false},
	{CodeAccept, 'a', "accept", false, false},
	{CodeReject, 'r', "reject", false, false},
	{CodeTempFail, 't', "tempfail", false, false},
	{CodeDiscard, 'd', "discard", false, false},
	{CodeSkip, 's', "skip", false, false},
	{CodeReplyText, 'y', "reply-text", false, false},
	{CodeProgress, 'p', "progress", false, false},
	{CodeAddHeader, 'h', "add-header", false, false},
	{CodeInsertHeader, 'i', "insert-header", false, false},
	{CodeChangeHeader, 'm', "change-header", false, false},
	{CodeChangeFrom, 'e', "change-from", false, false},
	{CodeAddRecipient, '+', "add-recipient", false, false},
	{CodeAddRecipientParams, '2', "add-recipient-params", false, false},
	{CodeDeleteRecipient, '-', "delete-recipient", false, false},
	{CodeReplaceBody, 'b', "replace-body", false, false},
	{CodeQuarantine, 'q', "quarantine", false, false},
	{CodeShutdown, '4', "shutdown", false, false},
	{CodeConnectionFailure, 'f', "connection-failure", false, false},
	{CodeSymbolList, 'l', "symbol-list", false, false},
}

func TestCode(t *testing.T) {
	known := make(map[Code]bool)
	for _, tt := range codeTable {
		known[tt.code] = true
		if byte(tt.code) != tt.byte || tt.code.String() != tt.name {
			t.Errorf("%v is %q, want %s %q", tt.code, byte(tt.code), tt.name, tt.byte)
		}
		if tt.code.IsCommand() != tt.command {
			t.Errorf("%v: IsCommand is %v", tt.code, tt.code.IsCommand())
		}
		if tt.code.HasMacros() != tt.hasMacros {
			t.Errorf("%v: HasMacros is %v", tt.code, tt.code.HasMacros())
		}
	}
	if len(known) != len(codeTable) {
		t.Errorf("%d different codes of %d", len(known), len(codeTable))
	}
	for c := range 256 {
		if code := Code(c); !known[code] && (code.IsCommand() || code.HasMacros()) {
			t.Errorf("%v: IsCommand is %v, HasMacros is %v", code, code.IsCommand(), code.HasMacros())
		}
	}
}

func TestCodeHexadecimal(t *testing.T) {
	for code, want := range map[Code]string{0: "0x00", 'z': "0x7a", 'Z': "0x5a", 0xff: "0xff"} {
		if got := code.String(); got != want {
			t.Errorf("%q is %s, want %s", byte(code), got, want)
		}
	}
}

func TestFamily(t *testing.T) {
	tests := []struct {
		family Family
		byte   byte
		name   string
	}{
		{FamilyUnknown, 'U', "unknown"},
		{FamilyInet, '4', "inet"},
		{FamilyInet6, '6', "inet6"},
		{FamilyUnix, 'L', "unix"},
		{'X', 'X', "unknown"},
		{0, 0, "unknown"},
	}
	for _, tt := range tests {
		if byte(tt.family) != tt.byte || tt.family.String() != tt.name {
			t.Errorf("family %q is %v, want %s", byte(tt.family), tt.family, tt.name)
		}
	}
}
