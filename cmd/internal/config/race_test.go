//go:build race

package config

// raceDetector says that allocations cannot be counted: sync.Pool drops what it is
// given now and then.
const raceDetector = true
