// Three round robin pickers as Go programs have them: what does a pick cost with a number of goroutines, in ns of wall
// time over all of them? Usage: go_round_robin GOROUTINES; prints a line "variant ns" for each.
package main

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"
)

const (
	endpoints = 25
	enough    = 100 * time.Millisecond
)

// Kept, so that no pick is optimised away.
var last [256]*endpoint

func run(p picker, goroutines, picks int) time.Duration {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for g := 0; g < goroutines; g++ {
		ready.Add(1)
		done.Add(1)
		go func(g int) {
			defer done.Done()
			ready.Done()
			<-start
			var chosen *endpoint
			for i := 0; i < picks; i++ {
				chosen = p.pick()
			}
			last[g%len(last)] = chosen
		}(g)
	}
	ready.Wait()
	began := time.Now()
	close(start)
	done.Wait()
	return time.Since(began)
}

func nsPerPick(p picker, goroutines int) float64 {
	for picks := 200_000 / goroutines; ; picks *= 2 {
		if took := run(p, goroutines, picks); took >= enough {
			return float64(took.Nanoseconds()) / float64(picks*goroutines)
		}
	}
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go_round_robin GOROUTINES")
		os.Exit(2)
	}
	goroutines, err := strconv.Atoi(os.Args[1])
	if err != nil || goroutines < 1 || goroutines > len(last) {
		fmt.Fprintf(os.Stderr, "goroutines out of 1..%d: %q\n", len(last), os.Args[1])
		os.Exit(2)
	}
	all := make([]*endpoint, endpoints)
	for i := range all {
		all[i] = &endpoint{address: fmt.Sprintf("127.0.0.1:%d", 4000+i)}
		all[i].up.Store(true)
	}
	fmt.Printf("global_lock %.3f\n", nsPerPick(&globalLock{endpoints: all}, goroutines))
	fmt.Printf("atomic_counter %.3f\n", nsPerPick(&atomicCounter{endpoints: all}, goroutines))
	fmt.Printf("separate_slices %.3f\n", nsPerPick(&separateSlices{up: all}, goroutines))
}
