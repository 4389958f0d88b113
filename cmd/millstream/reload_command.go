package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"millstream/cmd/internal/config"
)

// reloadTarget is where the control socket is asked to reload.
const reloadTarget = "/reload"

const reloadLong = `Have a running server read its configuration again, as SIGHUP does, and print what has
changed. The server is found by its control socket, so it must run on this machine, and
you must be its user, or root.

The file is read and checked, and its handlers are made, beside those that are in use.
If there is a mistake nothing changes; mistakes are printed with file, line and column,
and the exit status is 1. Otherwise sessions that begin from then on have the new
handlers and limits. Those that are under way keep theirs until their MTAs leave, since
what an MTA sends is agreed on for the handlers of the beginning; no connection is
closed. What is only taken up at the start, such as listeners, is named: it needs a
restart. Flags of serve count more than the file, as at the start.`

// reloadCommand has a running server read its configuration again.
func reloadCommand() *cobra.Command {
	var control string
	c := &cobra.Command{
		Use:     "reload",
		Short:   "Have a running server read its configuration again",
		Long:    reloadLong,
		Example: `  millstream reload`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return askReload(c.Context(), control, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&control, "control", "", "`path` of the server's control socket (where serve opens it by default)")
	return c
}

// askReload prints what a server says to a request to reload.
func askReload(ctx context.Context, control string, out, errOut io.Writer) error {
	answer, err := controlRequest(ctx, control, http.MethodPost, reloadTarget)
	if refused, ok := errors.AsType[controlError](err); ok {
		fmt.Fprintln(errOut, string(refused))
		return verdict(exitMistakes)
	}
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	_, err = io.Copy(out, answer.Body)
	return err
}

// reloadRoute adds the page that reloads.
func reloadRoute(r *reloader) func(*http.ServeMux) {
	return func(mux *http.ServeMux) {
		mux.HandleFunc("POST "+reloadTarget, func(w http.ResponseWriter, req *http.Request) {
			changes, err := r.reload(context.WithoutCancel(req.Context()), "control socket")
			if err != nil {
				http.Error(w, err.Error(), http.StatusUnprocessableEntity)
				return
			}
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = io.WriteString(w, reloadText(changes, r.state())) // an error is that who asked has gone
		})
	}
}

// reloadText tells what a reload has changed, a line each.
func reloadText(changes []config.Change, now reloadState) string {
	var b strings.Builder
	for _, c := range changes {
		b.WriteString(c.String())
		if c.Restart {
			b.WriteString(" (not in force: it needs a restart)")
		}
		b.WriteByte('\n')
	}
	if len(changes) == 0 {
		b.WriteString("no setting has changed\n")
	}
	fmt.Fprintf(&b, "generation %d is in force for new sessions\n", now.Generation)
	return b.String()
}
