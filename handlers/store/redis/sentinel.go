package redis

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/redis/rueidis"
)

// connect connects to Redis: where sentinels know where the master is, they are asked
// each time. So a master that is none any more, and refuses to be written to, is left
// for the new one when it fails.
func (c Config) connect(ctx context.Context) (*link, error) {
	if c.Sentinel == "" {
		return connect(ctx, c.option(c.Addresses))
	}
	master, err := c.master(ctx)
	if err != nil {
		return nil, err
	}
	return connect(ctx, c.option([]string{master}))
}

// master returns the address of the master that the first sentinel tells which answers.
func (c Config) master(ctx context.Context) (address string, err error) {
	var failed []error
	for _, sentinel := range c.Addresses {
		if address, err = c.ask(ctx, sentinel); err == nil || ctx.Err() != nil {
			return address, err
		}
		failed = append(failed, fmt.Errorf("sentinel %s: %w", sentinel, err))
	}
	return "", errors.Join(failed...)
}

// ask returns the address of the master that a sentinel tells.
func (c Config) ask(ctx context.Context, sentinel string) (string, error) {
	o := c.option([]string{sentinel})
	o.SelectDB, o.Username, o.Password = 0, c.SentinelUsername, c.SentinelPassword
	link, err := connect(ctx, o)
	if err != nil {
		return "", err
	}
	defer link.drop()
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	question := link.B().SentinelGetMasterAddrByName().Master(c.Sentinel).Build()
	address, err := link.Do(ctx, question).AsStrSlice()
	switch {
	case rueidis.IsRedisNil(err):
		return "", fmt.Errorf("it knows no master %q", c.Sentinel)
	case err != nil:
		return "", err
	case len(address) != 2:
		return "", fmt.Errorf("it names the master %q", address)
	}
	return net.JoinHostPort(address[0], address[1]), nil
}
