// A reverse proxy as Go programs have it: httputil.ReverseProxy over http.Transport, round robin by an atomic counter.
// Usage: go_reverse_proxy LISTEN BACKEND...; each is HOST:PORT.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Connections kept to one backend. Go's own default is 2, with which most requests would open one of their own.
const keptIdle = 512

const bufferBytes = 32 << 10

type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte { return *b.pool.Get().(*[]byte) }

func (b *buffers) Put(buffer []byte) { b.pool.Put(&buffer) }

func newBuffers() *buffers {
	return &buffers{sync.Pool{New: func() any {
		buffer := make([]byte, bufferBytes)
		return &buffer
	}}}
}

func transport() *http.Transport {
	kept := http.DefaultTransport.(*http.Transport).Clone()
	kept.MaxIdleConns = 0
	kept.MaxIdleConnsPerHost = keptIdle
	kept.IdleConnTimeout = time.Minute
	kept.DisableCompression = true
	return kept
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: go_reverse_proxy LISTEN BACKEND...")
		os.Exit(2)
	}
	var backends []*url.URL
	for _, address := range os.Args[2:] {
		backends = append(backends, &url.URL{Scheme: "http", Host: address})
	}
	var turn atomic.Uint64
	proxy := &httputil.ReverseProxy{
		Transport:  transport(),
		ErrorLog:   log.New(io.Discard, "", 0), // callers that leave at the end of a turn
		BufferPool: newBuffers(),
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetURL(backends[turn.Add(1)%uint64(len(backends))])
			request.SetXForwarded()
		},
	}
	server := &http.Server{Addr: os.Args[1], Handler: proxy}
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
	os.Exit(1)
}
