package greylist

import (
	"context"
	"log/slog"
	"time"

	"millstream/handlers/store"
)

// A result is what becomes of a recipient.
type result uint8

const (
	skipped     result = iota // nobody looked
	whitelisted               // the client network is known well
	known                     // the key has passed before
	passed                    // it has come again in time
	unconfirmed               // let through, as the shared store does not answer
	deferred                  // it is new
	early                     // it has come again too soon
	numResults
)

// resultNames are the results as metrics have them.
var resultNames = [numResults]string{"skipped", "whitelisted", "known", "passed", "unconfirmed", "deferred", "early"}

// A verdict is a result and how long it took.
type verdict struct {
	result
	waited time.Duration // since the first try
}

// refuses reports whether the recipient has to wait.
func (v verdict) refuses() bool { return v.result >= deferred }

// decide tells what becomes of a recipient. counts says whether the message may count for
// the network of the client. It may wait for a network.
func (f *filter) decide(ctx context.Context, k key, counts bool) verdict {
	var who store.Mark
	limit := int64(f.settings.WhitelistAfter)
	if limit > 0 {
		if who, _ = f.marks.Get(ctx, k.who); who.Value >= limit {
			f.renew(ctx, k.who, who)
			return verdict{result: whitelisted}
		}
	}
	mark, made := f.marks.SetNX(ctx, k.triplet, pending, f.settings.RetryWindow)
	waited := time.Since(mark.First)
	switch {
	case mark.Value != pending:
		f.renew(ctx, k.triplet, mark)
		return verdict{result: known}
	case !made && waited >= f.settings.Delay:
		f.marks.Set(ctx, k.triplet, time.Now().Unix(), f.settings.Lifetime)
		if limit > 0 && counts && !mark.Local {
			f.count(ctx, k.who, who.Value+1)
		}
		return verdict{passed, waited}
	case mark.Local && f.settings.OnLocal == onLocalPass:
		return verdict{unconfirmed, waited}
	case made:
		return verdict{deferred, waited}
	}
	return verdict{early, waited}
}

// pending is the value of the mark of a key that has not passed; later it is when it did,
// in seconds since 1970. The value of that of a network is how many messages have passed.
const pending = 0

// renew lets a mark last longer that is in use. It does so when a little of its life has
// gone, so that who writes a lot does not keep the store busy.
func (f *filter) renew(ctx context.Context, name string, m store.Mark) {
	if life := f.settings.Lifetime; time.Until(m.Ends) < life-life/32 {
		f.marks.Touch(ctx, name, life)
	}
}

// count notes how many messages of a network have passed. While a shared store does not
// answer that is not known, so it is not called then.
func (f *filter) count(ctx context.Context, name string, n int64) {
	f.marks.Set(ctx, name, n, f.settings.Lifetime)
	if n == int64(f.settings.WhitelistAfter) {
		f.log.LogAttrs(ctx, slog.LevelInfo, "greylist: a client network is known well and not delayed any more",
			slog.String("network", name[len(space):]), slog.Int64("messages", n))
	}
}
