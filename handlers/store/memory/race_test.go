//go:build race

package memory_test

// raceDetector says that allocations cannot be counted.
const raceDetector = true
