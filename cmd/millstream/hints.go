package main

import (
	"fmt"
	"io"
	"net"

	"millstream/netio"
)

// printHints prints what to put into the configuration of an MTA that is to use the
// server. An MTA takes one of its sockets: with two it would have each mail filtered
// twice.
func printHints(w io.Writer, addrs []net.Addr) {
	others := ""
	for i, a := range addrs[1:] {
		if i == 0 {
			others = "An MTA is to have one socket: with two each mail is filtered twice. The others are\n\n"
		}
		others += fmt.Sprintf("    %s, for Sendmail S=%s\n", netio.PostfixAddr(a), netio.MilterAddr(a))
	}
	if others != "" {
		others += "\n"
	}
	_, _ = fmt.Fprintf(w, `Postfix, in /etc/postfix/main.cf, then "postfix reload":

    smtpd_milters = %s
    non_smtpd_milters = $smtpd_milters
    milter_default_action = accept

Sendmail, in /etc/mail/sendmail.mc, then "make -C /etc/mail restart":

    INPUT_MAIL_FILTER(`+"`millstream', `S=%s, F=, T=C:30s;S:10s;R:10s;E:5m'"+`)dnl

%s`, netio.PostfixAddr(addrs[0]), netio.MilterAddr(addrs[0]), others)
}

// addrTexts returns addresses as text.
func addrTexts(addrs []net.Addr) []string {
	texts := make([]string, len(addrs))
	for i, a := range addrs {
		texts[i] = netio.MilterAddr(a)
	}
	return texts
}
