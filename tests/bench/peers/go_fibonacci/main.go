// The plain recursion as Go programs have it: how much CPU does F(n) take? Usage: go_fibonacci N; prints a
// line "fibonacci_N seconds".
package main

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
)

func fibonacci(n int) uint64 {
	if n < 2 {
		return uint64(n)
	}
	return fibonacci(n-1) + fibonacci(n-2)
}

// Kept, so that no call is optimised away.
var last uint64

func cpuSeconds() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go_fibonacci N")
		os.Exit(2)
	}
	n, err := strconv.Atoi(os.Args[1])
	if err != nil || n < 0 || n > 50 {
		fmt.Fprintf(os.Stderr, "n out of 0..50: %q\n", os.Args[1])
		os.Exit(2)
	}
	began := cpuSeconds()
	last = fibonacci(n)
	fmt.Printf("fibonacci_%d %.9f\n", n, cpuSeconds()-began)
}
