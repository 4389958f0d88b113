package main

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"millstream/netio"
)

// printHints prints what to put into the configuration of an MTA that is to use the
// server.
func printHints(w io.Writer, addrs []net.Addr) {
	var postfix, sendmail []string
	for i, a := range addrs {
		name := "millstream"
		if i > 0 {
			name += strconv.Itoa(i + 1)
		}
		postfix = append(postfix, netio.PostfixAddr(a))
		sendmail = append(sendmail, fmt.Sprintf("INPUT_MAIL_FILTER(`%s', `S=%s, F=, T=C:30s;S:10s;R:10s;E:5m')dnl",
			name, netio.MilterAddr(a)))
	}
	_, _ = fmt.Fprintf(w, `Postfix, in /etc/postfix/main.cf, then "postfix reload":

    smtpd_milters = %s
    non_smtpd_milters = $smtpd_milters
    milter_default_action = accept

Sendmail, in /etc/mail/sendmail.mc, then "make -C /etc/mail restart":

    %s

`, strings.Join(postfix, ", "), strings.Join(sendmail, "\n    "))
}

// addrTexts returns addresses as text.
func addrTexts(addrs []net.Addr) []string {
	texts := make([]string, len(addrs))
	for i, a := range addrs {
		texts[i] = netio.MilterAddr(a)
	}
	return texts
}
