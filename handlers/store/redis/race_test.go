//go:build race

package redis_test

// raceDetector says that allocations cannot be counted.
const raceDetector = true
