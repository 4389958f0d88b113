package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"

	"millstream/bench/load"
)

// crowdSessions are all busy at once.
const crowdSessions = 1000

// crowd measures how evenly many busy sessions are served. Where all send the same
// in a closed loop and each has its turn, all messages take equally long: 99 % take
// hardly longer than half of them do.
func (s *series) crowd(ctx context.Context) error {
	trials := make([]trial, len(modes))
	feels := make([][]feel, len(modes))
	for i, mode := range modes {
		trials[i] = trial{
			setup{peer: ours, at: serverPlace, args: mode.args},
			load.Config{Mails: usualMail(), Connections: crowdSessions},
		}
	}
	for range s.rounds {
		for i := range trials {
			r, err := s.try(ctx, &trials[i])
			if err != nil {
				return err
			}
			feels[i] = append(feels[i], newFeel(r))
		}
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', tabwriter.Debug)
	fmt.Fprintf(w, "| %d busy sessions\t p50, µs\t p99, µs\t p99 / p50\t server busy\t\n|---\t---\t---\t---\t---\t\n", crowdSessions)
	for i, mode := range modes {
		fmt.Fprintf(w, "| %s\t %.0f\t %.0f\t %.2f\t %.0f %%\t\n", mode.name,
			medianOf(feels[i], func(f feel) float64 { return f.p50 }), medianOf(feels[i], func(f feel) float64 { return f.p99 }),
			medianOf(feels[i], func(f feel) float64 { return f.p99 / f.p50 }), 100*medianOf(feels[i], func(f feel) float64 { return f.busy }))
	}
	w.Flush()
	fmt.Println()
	return nil
}
