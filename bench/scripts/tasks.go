// The workloads of tasks.c in Go, with goroutines that take turns on one thread.
//
// Reads lines "work n tasks", and answers each with processor time in nanoseconds, of the whole process since its collector
// has threads of its own, the sum of the messages, and the bytes of memory that its tasks have come to.
package main

import (
	"bufio"
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

const (
	room   = 64
	leadNs = 10000 // going to sleep takes a task less
	hour   = int64(time.Hour)
)

func processTime() int64 {
	const clockProcessCPUTime = 2
	var t syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clockProcessCPUTime, uintptr(unsafe.Pointer(&t)), 0)
	return t.Nano()
}

func told(path, label string) int64 {
	text, _ := os.ReadFile(path)
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, label) {
			var kib int64
			fmt.Sscan(line[len(label):], &kib)
			return kib * 1024
		}
	}
	return 0
}

func memory() int64 {
	return told("/proc/self/smaps_rollup", "Rss:") + told("/proc/self/status", "VmPTE:")
}

// One repetition: what is timed lies inside, for its tasks are made before it.
type round struct {
	n, tasks     int
	left         int
	sum          int
	began, ended int64
	before       int64
	bytes        int64
	begun        int
	open         chan struct{}
	ends         sync.WaitGroup
}

func (r *round) spawnAll(body func(i int)) {
	r.before = memory()
	r.ends.Add(r.tasks)
	for i := 0; i < r.tasks; i++ {
		go func(i int) {
			defer r.ends.Done()
			body(i)
		}(i)
	}
}

// How each begins. The first to go on begins with what is timed: whoever lets them may lose its turn before it can.
func (r *round) waitForAll() {
	r.begun++
	<-r.open
	if r.began == 0 {
		r.began = processTime()
	}
}

func (r *round) letAllBegin() {
	for r.begun < r.tasks {
		runtime.Gosched()
	}
	r.bytes = memory() - r.before // others have their turns while it waits for the kernel, so it comes first
	close(r.open)
}

func (r *round) yield() {
	r.left = r.n
	r.spawnAll(func(int) {
		r.waitForAll()
		for r.left > 0 {
			r.left--
			if r.left == 0 {
				r.ended = processTime()
			}
			runtime.Gosched()
		}
	})
	r.letAllBegin()
	r.ends.Wait()
}

func (r *round) spawnJoin() {
	r.began = processTime()
	for i := 0; i < r.n; i++ {
		r.ends.Add(1)
		go r.ends.Done()
		r.ends.Wait()
	}
	r.ended = processTime()
}

func (r *round) pingPong() {
	ping, pong := make(chan int), make(chan int)
	go func() {
		for i := 0; i < r.n/2; i++ {
			pong <- <-ping
		}
	}()
	r.began = processTime()
	for i := 0; i < r.n/2; i++ {
		ping <- i
		r.sum += <-pong
	}
	r.ended = processTime()
}

func (r *round) channel() {
	messages := make(chan int, room)
	each := r.n / r.tasks
	r.ends.Add(2 * r.tasks)
	r.began = processTime()
	for i := 0; i < r.tasks; i++ {
		go func() {
			sum := 0
			for i := 0; i < each; i++ {
				sum += <-messages
			}
			r.sum += sum
			r.ends.Done()
		}()
	}
	for i := 0; i < r.tasks; i++ {
		go func() {
			for i := 0; i < each; i++ {
				messages <- i
			}
			r.ends.Done()
		}()
	}
	r.ends.Wait()
	r.ended = processTime()
}

func (r *round) timers() {
	r.left = r.tasks
	least, window := int64(r.tasks)*leadNs, int64(r.tasks)*1000
	r.spawnAll(func(int) {
		r.waitForAll()
		time.Sleep(time.Duration(least + rand.Int63n(window)))
		r.left--
		if r.left == 0 {
			r.ended = processTime()
		}
	})
	r.letAllBegin()
	runtime.Gosched() // now all of them sleep
	began := processTime()
	r.bytes = memory() - r.before
	r.began += processTime() - began
	r.ends.Wait()
}

func farAway() time.Duration { return time.Duration(hour + rand.Int63n(hour)) }

// A goroutine's sleep cannot be ended, so what sleeps here waits for a timer and for being told.
func (r *round) timerCancel() {
	wait := func(told <-chan struct{}) {
		timer := time.NewTimer(farAway())
		select {
		case <-timer.C:
		case <-told:
		}
		timer.Stop()
	}
	stop := make(chan struct{})
	asleep := 0
	r.spawnAll(func(int) {
		r.waitForAll()
		asleep++
		wait(stop)
	})
	r.letAllBegin()
	for asleep < r.tasks {
		runtime.Gosched()
	}
	naps := [2]chan struct{}{make(chan struct{}, 1), make(chan struct{}, 1)}
	end := func(side int) {
		select {
		case naps[side] <- struct{}{}:
		default:
		}
	}
	var nappers sync.WaitGroup
	nappers.Add(2)
	r.left = r.n
	r.began = processTime()
	for side := 0; side < 2; side++ {
		go func(side int) {
			for r.left > 0 {
				r.left--
				end(1 - side)
				wait(naps[side])
			}
			end(1 - side)
			nappers.Done()
		}(side)
	}
	nappers.Wait()
	r.ended = processTime()
	close(stop)
	r.ends.Wait()
}

func main() {
	runtime.GOMAXPROCS(1)
	fmt.Println("Go", runtime.Version())
	works := map[string]func(*round){
		"yield": (*round).yield, "spawn_join": (*round).spawnJoin, "ping_pong": (*round).pingPong,
		"channel": (*round).channel, "timers": (*round).timers, "timer_cancel": (*round).timerCancel,
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var work string
		r := &round{open: make(chan struct{})}
		fmt.Sscan(lines.Text(), &work, &r.n, &r.tasks)
		debug.FreeOSMemory() // what ran before leaves nothing behind
		works[work](r)
		fmt.Println(r.ended-r.began, r.sum, r.bytes)
	}
}
