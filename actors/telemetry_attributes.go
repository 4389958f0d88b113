package actors

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"millstream/protocol"
)

// Addresses is what traces tell of senders, recipients and clients.
type Addresses uint8

// What traces tell of addresses.
const (
	AddressesOff    Addresses = iota // nothing
	AddressesHashed                  // the beginning of a SHA-256, so that equal ones can be found
	AddressesClear                   // as they are
)

// show returns an address as it may be told; "" if it may not.
func (a Addresses) show(address string) string {
	switch a {
	case AddressesClear:
		return address
	case AddressesHashed:
		sum := sha256.Sum256([]byte(strings.ToLower(address)))
		return hex.EncodeToString(sum[:8])
	}
	return ""
}

// The names of attributes. There are no conventions for mail yet: those of the
// network are OpenTelemetry's.
const (
	attrSession    = attribute.Key("milter.session.id")
	attrListener   = attribute.Key("milter.listener")
	attrQueueID    = attribute.Key("milter.queue_id")
	attrVerdict    = attribute.Key("milter.verdict")
	attrStage      = attribute.Key("milter.stage")
	attrHandler    = attribute.Key("milter.handler")
	attrStatus     = attribute.Key("milter.status")
	attrCount      = attribute.Key("milter.count")
	attrTook       = attribute.Key("milter.handler.duration") // seconds
	attrSilent     = attribute.Key("milter.silent")
	attrReplyCode  = attribute.Key("smtp.reply.code")
	attrQuarantine = attribute.Key("milter.quarantined")
	attrRecipients = attribute.Key("mail.recipients")
	attrSize       = attribute.Key("mail.body.size") // bytes
	attrFrom       = attribute.Key("mail.from")
	attrTo         = attribute.Key("mail.to")
	attrClient     = attribute.Key("client.address")
	attrNetwork    = attribute.Key("milter.client.network")
	attrHelo       = attribute.Key("mail.helo")
	attrPeer       = attribute.Key("network.peer.address")
	attrResult     = attribute.Key("milter.result")
	attrErrorKind  = attribute.Key("error.type")
	attrReason     = attribute.Key("milter.reason")
	attrLimit      = attribute.Key("milter.limit")
	attrQueue      = attribute.Key("milter.queue")
	attrDirection  = attribute.Key("network.io.direction")
)

func sessionAttributes(s *session) []attribute.KeyValue {
	f := s.control.Facts()
	return []attribute.KeyValue{
		attrSession.Int64(int64(s.id)), attrListener.String(f.Listener), attrPeer.String(f.Peer.String()),
	}
}

// messageAttributes tells what became of a message, and as much of addresses as it may.
func messageAttributes(l *Timeline, addresses Addresses) []attribute.KeyValue {
	r := l.Result
	list := []attribute.KeyValue{
		attrSession.Int64(int64(l.Session)), attrQueueID.String(l.QueueID), attrVerdict.String(verdictOf(r.Status, r.Quarantined)),
		attrStage.String(r.State.String()), attrRecipients.Int(len(r.Recipients)), attrSize.Int64(int64(r.BodySize)),
	}
	if r.By != "" {
		list = append(list, attrHandler.String(r.By))
	}
	if code, err := strconv.Atoi(r.Reply[:min(3, len(r.Reply))]); err == nil {
		list = append(list, attrReplyCode.Int(code))
	}
	if network := networkOf(l.Client.IP); network.IsValid() {
		list = append(list, attrNetwork.String(network.String()))
	}
	if addresses == AddressesOff {
		return list
	}
	to := make([]string, len(r.Recipients))
	for i, address := range r.Recipients {
		to[i] = addresses.show(address)
	}
	return append(list, attrFrom.String(addresses.show(r.From)), attrTo.StringSlice(to),
		attrClient.String(addresses.show(l.Client.IP.String())), attrHelo.String(addresses.show(l.Helo)))
}

// networkOf returns the network of an address, in which there are too many to tell who
// it was: 256 of IPv4, or all that a site has of IPv6.
func networkOf(ip netip.Addr) netip.Prefix {
	bits := 48
	if ip = ip.Unmap().WithZone(""); ip.Is4() {
		bits = 24
	}
	network, _ := ip.Prefix(bits) // no address has no network
	return network
}

// stageAttributes leaves out what goes without saying: one event, with an answer. Half
// of what a trace costs is to send its attributes.
func stageAttributes(e *Stage) []attribute.KeyValue {
	list := append(make([]attribute.KeyValue, 0, 4), attrStatus.String(e.Status.String()), attrTook.Float64(e.Took.Seconds()))
	if e.Count > 1 {
		list = append(list, attrCount.Int(e.Count))
	}
	if e.Silent {
		list = append(list, attrSilent.Bool(true))
	}
	return list
}

// visitAttributes leaves out that there was one call.
func visitAttributes(v *Visit) []attribute.KeyValue {
	list := append(make([]attribute.KeyValue, 0, 4),
		attrHandler.String(v.Handler), attrStage.String(v.Event.String()), attrStatus.String(v.Status.String()))
	if v.Count > 1 {
		list = append(list, attrCount.Int(v.Count))
	}
	return list
}

// verdictOf returns the word for what became of a message.
func verdictOf(s protocol.Status, quarantined bool) string {
	if quarantined && (s.IsPass() || s == protocol.StatusAccept) {
		return "quarantine"
	}
	return s.String()
}
