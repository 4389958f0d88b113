//go:build !linux

package load

import (
	"errors"
	"time"
)

// The generator is made of Linux's epoll. What stands here only says so.
var errNotHere = errors.New("the load generator needs Linux")

type target struct{ delay bool }

func (t target) clone() target              { return t }
func resolve(string) (target, error)        { return target{}, errNotHere }
func (*target) connect() (int, bool, error) { return -1, false, errNotHere }
func connected(int) error                   { return errNotHere }
func isFull(error) bool                     { return false }
func read(int, []byte) (int, error)         { return 0, errNotHere }
func write(int, []byte) (int, error)        { return 0, errNotHere }
func closeSocket(int, bool)                 {}

type poller struct{ blocked bool }

const ownSlot = -1

func newPoller() (*poller, error)                         { return nil, errNotHere }
func (*poller) close()                                    {}
func (*poller) wake()                                     {}
func (*poller) exactly()                                  {}
func (*poller) add(int, int, uint32, bool) error          { return errNotHere }
func (*poller) change(int, int, uint32, bool, bool) error { return errNotHere }
func (*poller) wait(int64) (int, error)                   { return 0, errNotHere }
func (*poller) event(int) (int, uint32, bool, bool)       { return 0, 0, false, false }

type process struct{}

func openProcess(int) process                              { return process{} }
func ownProcess() process                                  { return process{} }
func (process) known() bool                                { return false }
func (process) time() processTime                          { return processTime{} }
func (process) memory() int64                              { return 0 }
func (process) usage(processTime, time.Duration) (u Usage) { return u }
func cpuModel() string                                     { return "" }
