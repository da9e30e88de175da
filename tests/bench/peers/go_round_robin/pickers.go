package main

import (
	"sync"
	"sync/atomic"
)

type endpoint struct {
	address string
	up      atomic.Bool
}

// picker returns the next endpoint that is up, nil if none is.
type picker interface{ pick() *endpoint }

// globalLock has one mutex around all there is.
type globalLock struct {
	mutex     sync.Mutex
	endpoints []*endpoint
	turn      int
}

func (p *globalLock) pick() *endpoint {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for range p.endpoints {
		chosen := p.endpoints[p.turn]
		if p.turn++; p.turn == len(p.endpoints) {
			p.turn = 0
		}
		if chosen.up.Load() {
			return chosen
		}
	}
	return nil
}

// atomicCounter draws a ticket for each endpoint it looks at.
type atomicCounter struct {
	endpoints []*endpoint
	tickets   atomic.Uint64
}

func (p *atomicCounter) pick() *endpoint {
	size := uint64(len(p.endpoints))
	for range p.endpoints {
		if chosen := p.endpoints[(p.tickets.Add(1)-1)%size]; chosen.up.Load() {
			return chosen
		}
	}
	return nil
}

// separateSlices keeps those that are up in a slice of their own, which pickers read under a read lock.
type separateSlices struct {
	mutex   sync.RWMutex
	up      []*endpoint
	down    []*endpoint
	tickets atomic.Uint64
}

func (p *separateSlices) pick() *endpoint {
	p.mutex.RLock()
	defer p.mutex.RUnlock()
	if len(p.up) == 0 {
		return nil
	}
	return p.up[(p.tickets.Add(1)-1)%uint64(len(p.up))]
}
