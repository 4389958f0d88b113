package handlers_test

import (
	"bytes"
	"io"
	"strings"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// Footer puts a line under each message. The body is kept as it comes, and written
// anew at the end.
func Footer(line string) handlers.Factory {
	return func(*handlers.Session) handlers.Handler {
		var body bytes.Buffer
		return handlers.Chain(
			handlers.Observe(func(_ *handlers.Session, b *protocol.Body) { body.Write(b.Chunk) }),
			handlers.Go(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
				io.Copy(m.Body(), io.MultiReader(&body, strings.NewReader(line+"\r\n")))
				return handlers.Accept
			}),
			handlers.Observe(func(*handlers.Session, *handlers.Result) { body.Reset() }),
		)
	}
}

// A new body is written from a reader.
func ExampleMessage_Body() {
	s := handlertest.NewFactory(t, Footer("-- filtered"))
	show(s.Send(handlertest.Mail{From: "<a@example.com>", Body: "Hello.\r\n"}))
	// Output:
	// end-of-message: accept
	//   replace-body "Hello.\r\n"
	//   replace-body "-- filtered\r\n"
}
