package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/spf13/cobra"

	"millstream/netio"
	"millstream/protocol/script"
)

// talkFlags are the flags of the command talk.
type talkFlags struct {
	socket  string
	timeout time.Duration
	moment  time.Duration
	record  bool
}

// errDiffers says that a milter did not do what a script expects.
var errDiffers = errors.New("not as expected")

// talkCommand plays session scripts to a milter.
func talkCommand() *cobra.Command {
	var f talkFlags
	c := &cobra.Command{
		Use:   "talk [flags] SCRIPT...",
		Short: "Play session scripts to a milter",
		Long: `Play session scripts to a milter, as an MTA would, and print what is said. Each
script has a connection of its own; - is the standard input.

A line of a script is what the MTA sends (->), in the same write as the line
before (+>), or what the milter is to answer (<-), or how that answer begins (<~);
"wait 3s" waits, and # begins a comment. What an MTA sends is negotiate, macro, connect, helo, mail, rcpt, data,
unknown, header, end-of-header, body, end-of-message, abort, quit,
quit-new-connection, raw for any bytes, and close and reset, which end the
connection. With --record a script of commands alone shows how answers are
written; nothing and close stand for none.

The time in front of a line is that since the beginning, in seconds. The exit
status is 0 if the milter did as expected, 1 if it did not, and 2 for a mistake in
the call or in a script.`,
		Example: `  millstream talk -p inet:8890@127.0.0.1 hello.txt
  printf -- '-> negotiate\n-> mail <a@example>\n-> quit\n' | millstream talk --record -

  where hello.txt may be

  # A message is accepted.
  -> negotiate
  <- negotiate 6 actions=all steps=skip
  -> connect client.example inet:50443@192.0.2.10
  <- continue
  -> helo client.example
  <- continue
  -> mail <a@example> SIZE=10
  <- continue
  -> header Subject: hi
  <- continue
  -> end-of-message
  <- add-header X-Test: yes
  <- accept
  -> quit
  <- close`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{errors.New("no script; see 'millstream talk --help'")}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			return talk(c.Context(), &f, args, c.InOrStdin(), c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	fl := c.Flags()
	fl.StringVarP(&f.socket, "socket", "p", defaultSocket, "`socket` of the milter")
	fl.DurationVar(&f.timeout, "timeout", 10*time.Second, "how long an answer may take")
	fl.DurationVar(&f.moment, "moment", 100*time.Millisecond, "how long to make sure that nothing comes")
	fl.BoolVar(&f.record, "record", false, "print the scripts with the answers that come; what is expected does not matter")
	return c
}

// talk plays scripts. Mistakes in any of them are found before the first is played.
func talk(ctx context.Context, f *talkFlags, files []string, in io.Reader, out, errOut io.Writer) error {
	network, address, err := netio.ParseAddr(f.socket)
	if err != nil {
		return usageError{err}
	}
	if f.timeout <= 0 || f.moment <= 0 {
		return usageError{errors.New("a time to wait has to be greater than zero")}
	}
	scripts := make([]*script.Script, len(files))
	for i, file := range files {
		if scripts[i], err = readScript(file, in); err != nil {
			return usageError{err}
		}
	}
	buffer := bufio.NewWriter(out)
	differ := 0
	for _, s := range scripts {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return fmt.Errorf("no milter: %w", err)
		}
		stop := context.AfterFunc(ctx, func() { conn.Close() })
		ok := talkOne(f, s, conn, buffer, errOut, len(scripts) > 1)
		stop()
		conn.Close()
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
		if !ok {
			differ++
		}
	}
	if err := buffer.Flush(); err != nil {
		return err
	}
	if differ > 0 {
		return fmt.Errorf("%d of %d scripts: %w", differ, len(scripts), errDiffers)
	}
	return nil
}

// readScript reads a script from a file, or from in.
func readScript(file string, in io.Reader) (*script.Script, error) {
	if file != "-" {
		return script.Load(file)
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	return script.Parse("standard input", string(text))
}

// talkOne plays one script and reports whether the milter did as expected.
func talkOne(f *talkFlags, s *script.Script, conn net.Conn, out *bufio.Writer, errOut io.Writer, title bool) bool {
	p := script.Player{Timeout: f.timeout, Moment: f.moment, Record: f.record}
	if !f.record {
		if title {
			fmt.Fprintf(out, "%s\n", s.Name)
		}
		p.Trace = func(n script.Note) { printNote(out, s.Name, n) }
	}
	played, differences := p.Play(s, script.NewConn(conn))
	if f.record {
		fmt.Fprint(out, played)
	}
	for _, d := range differences {
		if f.record { // it could not be played to its end
			fmt.Fprintf(errOut, "%s:%d: the connection is closed, %v is not sent\n", s.Name, d.Line, d.Want)
		}
	}
	return len(differences) == 0
}

// printNote prints what became of a line of a script, as soon as it is known.
func printNote(out *bufio.Writer, name string, n script.Note) {
	line := func(at, text string) { fmt.Fprintf(out, "%9s  %s\n", at, text) }
	at := fmt.Sprintf("%.3f", n.At.Seconds())
	if n.OK() {
		line(at, n.Got.String())
	} else {
		line(at, fmt.Sprintf("!! expected %s  (%s:%d)", stepText(n.Want), name, n.Line))
		line("", fmt.Sprintf("!!      got %s", stepText(n.Got)))
	}
	_ = out.Flush() // of no consequence: the last one tells
}

// stepText returns a line of a script, or that there is none.
func stepText(s script.Step) string {
	if s == nil {
		return "nothing"
	}
	return s.String()
}
