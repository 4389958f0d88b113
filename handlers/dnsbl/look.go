package dnsbl

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
)

// A query is one subject that a list is asked about.
type query struct {
	list    *list
	subject subject
	label   string
	found   *finding
	err     error
}

// queries returns what is to be asked about subjects.
func (f *filter) queries(subjects []subject) (list []query) {
	for _, l := range f.lists {
		for _, s := range subjects {
			if !l.looksUp[s.kind] {
				continue
			}
			if label := s.label(l.registered && s.kind != client); label != "" {
				list = append(list, query{list: l, subject: s, label: label})
			}
		}
	}
	return list
}

// answers are what lists have said, by what was looked up.
type answers [numKinds]struct {
	found  []*finding
	failed bool // a list had no answer
}

// look asks all queries at once. The error is that no list has answered, or that ctx has
// ended.
func (f *filter) look(ctx context.Context, queries []query) (a answers, err error) {
	within, cancel := context.WithTimeout(ctx, f.deadline)
	defer cancel()
	var wg sync.WaitGroup
	for i := range queries {
		q := &queries[i]
		wg.Go(func() { q.found, q.err = q.list.ask(within, f.resolver, q.subject, q.label) })
	}
	wg.Wait()
	if ctx.Err() != nil {
		return a, context.Cause(ctx)
	}
	failed, failures := 0, make(map[*list]error)
	for i := range queries {
		q := &queries[i]
		q.list.count(ctx, q.found, q.err)
		failures[q.list] = cmp.Or(failures[q.list], q.err)
		about := &a[q.subject.kind]
		switch {
		case q.err != nil:
			failed++
			about.failed = true
		case q.found != nil:
			about.found = append(about.found, q.found)
		}
	}
	for l, err := range failures {
		f.note(ctx, l, err)
	}
	if failed > 0 && failed == len(queries) {
		return a, fmt.Errorf("dnsbl: no list has answered, the first of %d queries: %w", failed, queries[0].err)
	}
	return a, nil
}

// note logs when a list begins to fail, and when that is over.
func (f *filter) note(ctx context.Context, l *list, err error) {
	if failing := err != nil; l.failing.Swap(failing) == failing {
		return
	}
	if err != nil {
		f.log.LogAttrs(ctx, slog.LevelWarn, "a list fails", slog.String("list", l.name), slog.Any("error", err))
		return
	}
	f.log.LogAttrs(ctx, slog.LevelInfo, "a list answers again", slog.String("list", l.name))
}
