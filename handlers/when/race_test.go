//go:build race

package when_test

// raceDetector says that allocations cannot be counted: sync.Pool drops what it is
// given now and then.
const raceDetector = true
