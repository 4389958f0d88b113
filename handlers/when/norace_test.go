//go:build !race

package when_test

const raceDetector = false
