package e2e

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"

	"millstream/handlers"
)

// TestLua runs the scripts of miltertest against a server, over both kinds of
// sockets.
func TestLua(t *testing.T) {
	if why := lacks("miltertest"); why != "" {
		t.Skip(why)
	}
	scripts, err := filepath.Glob("testdata/miltertest/*.lua")
	if err != nil || len(scripts) <= 2 {
		t.Fatal("no scripts: ", err)
	}
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			f := newFilter()
			_, addr := serve(t, network, handlers.Shared(f.handler()))
			for _, script := range scripts {
				if name := filepath.Base(script); name != "lib.lua" && name != "run.lua" {
					t.Run(name, func(t *testing.T) { runLua(t, name, sendmailNotation(addr)) })
				}
			}
			for _, err := range f.failed() {
				t.Errorf("the server reported: %v", err)
			}
		})
	}
}

func runLua(t *testing.T, script, socket string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "miltertest", "-v", "-D", "socket="+socket, "-D", "script="+script, "-s", "run.lua")
	cmd.Dir = "testdata/miltertest"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
