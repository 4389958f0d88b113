// Command gomilter is the peer on github.com/d--j/go-milter: every event, one
// header.
package main

import (
	"flag"
	"log"
	"net"
	"strings"

	"github.com/d--j/go-milter"
)

// noReply is not to be answered: all but the end of the message.
const noReply = milter.OptNoConnReply | milter.OptNoHeloReply | milter.OptNoMailReply | milter.OptNoRcptReply |
	milter.OptNoDataReply | milter.OptNoUnknownReply | milter.OptNoHeaderReply | milter.OptNoEOHReply |
	milter.OptNoBodyReply

// peer takes every event.
type peer struct{ milter.NoOpMilter }

// RcptTo is milter.Milter.
func (peer) RcptTo(string, string, milter.Modifier) (*milter.Response, error) {
	return milter.RespContinue, nil
}

// Header is milter.Milter.
func (peer) Header(string, string, milter.Modifier) (*milter.Response, error) {
	return milter.RespContinue, nil
}

// BodyChunk is milter.Milter.
func (peer) BodyChunk([]byte, milter.Modifier) (*milter.Response, error) {
	return milter.RespContinue, nil
}

// EndOfMessage is milter.Milter.
func (peer) EndOfMessage(m milter.Modifier) (*milter.Response, error) {
	return milter.RespContinue, m.AddHeader("X-Peer", "gomilter")
}

func main() {
	addr := flag.String("addr", "", "socket to listen on: unix:path or inet:port@host")
	stream := flag.Bool("stream", false, "answer nothing before the end of the message")
	flag.Parse()
	network, address, _ := strings.Cut(*addr, ":")
	if network == "inet" {
		port, host, _ := strings.Cut(address, "@")
		network, address = "tcp", net.JoinHostPort(host, port)
	}
	ln, err := net.Listen(network, address)
	if err != nil {
		log.Fatal(err)
	}
	options := []milter.Option{
		milter.WithMilter(func() milter.Milter { return peer{} }),
		milter.WithActions(milter.OptAddHeader), milter.WithoutDefaultMacros(),
	}
	if *stream {
		options = append(options, milter.WithProtocols(noReply))
	}
	log.Fatal(milter.NewServer(options...).Serve(ln))
}
