package main

import "millstream/protocol"

// postfixMacros are those that Postfix sends to a milter that does not ask.
var postfixMacros = map[protocol.Code]string{
	protocol.CodeConnect:      "j daemon_name daemon_addr v _",
	protocol.CodeHelo:         "tls_version cipher cipher_bits cert_subject cert_issuer",
	protocol.CodeMailFrom:     "i auth_type auth_authen auth_author mail_addr mail_host mail_mailer",
	protocol.CodeRcptTo:       "i rcpt_addr rcpt_host rcpt_mailer",
	protocol.CodeData:         "i",
	protocol.CodeHeader:       "i",
	protocol.CodeEndOfHeader:  "i",
	protocol.CodeBody:         "i",
	protocol.CodeEndOfMessage: "i",
}

// sendmailMacros are those of Sendmail, which has none for headers and body.
var sendmailMacros = map[protocol.Code]string{
	protocol.CodeConnect:      "j _ daemon_name if_name if_addr",
	protocol.CodeHelo:         "tls_version cipher cipher_bits cert_subject cert_issuer",
	protocol.CodeMailFrom:     "i auth_type auth_authen auth_ssf auth_author mail_mailer mail_host mail_addr",
	protocol.CodeRcptTo:       "rcpt_mailer rcpt_host rcpt_addr",
	protocol.CodeEndOfMessage: "msg_id",
}

// stagesOf tells which list of a milter is for a command.
var stagesOf = map[protocol.Code]protocol.Stage{
	protocol.CodeConnect:      protocol.StageConnect,
	protocol.CodeHelo:         protocol.StageHelo,
	protocol.CodeMailFrom:     protocol.StageMail,
	protocol.CodeRcptTo:       protocol.StageRcpt,
	protocol.CodeData:         protocol.StageData,
	protocol.CodeHeader:       protocol.StageEndOfMessage,
	protocol.CodeEndOfHeader:  protocol.StageEndOfHeader,
	protocol.CodeBody:         protocol.StageEndOfMessage,
	protocol.CodeEndOfMessage: protocol.StageEndOfMessage,
}

// inMessage has the macros that have no value before a message begins.
var inMessage = map[string]bool{"f": true, "mail_addr": true, "mail_host": true, "mail_mailer": true, "msg_id": true}
