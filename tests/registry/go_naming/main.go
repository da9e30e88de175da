// Registers an endpoint as Go programs do, or prints what gRPC's resolver in Go makes of a service.
//
//	go_naming add ETCD SERVICE ADDRESS     keeps the endpoint under a lease until stdin ends, then deletes it
//	go_naming follow ETCD SERVICE          prints the sorted addresses, as JSON, at each change, until stdin ends
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"sort"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/naming/endpoints"
	etcd "go.etcd.io/etcd/client/v3/naming/resolver"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/serviceconfig"
)

func main() {
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{os.Args[2]}})
	check(err)
	switch os.Args[1] {
	case "add":
		add(client, os.Args[3], os.Args[4])
	case "follow":
		follow(client, os.Args[3])
	}
}

func add(client *clientv3.Client, service, address string) {
	ctx := context.Background()
	manager, err := endpoints.NewManager(client, service)
	check(err)
	lease, err := client.Grant(ctx, 30)
	check(err)
	key := service + "/" + address
	check(manager.AddEndpoint(ctx, key, endpoints.Endpoint{Addr: address}, clientv3.WithLease(lease.ID)))
	fmt.Println("added")
	_, _ = io.Copy(io.Discard, os.Stdin)
	check(manager.DeleteEndpoint(ctx, key))
}

func follow(client *clientv3.Client, service string) {
	builder, err := etcd.NewBuilder(client)
	check(err)
	target := resolver.Target{URL: url.URL{Scheme: "etcd", Path: "/" + service}}
	_, err = builder.Build(target, printer{}, resolver.BuildOptions{})
	check(err)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

type printer struct{}

func (printer) UpdateState(state resolver.State) error {
	found := []string{}
	for _, address := range state.Addresses {
		found = append(found, address.Addr)
	}
	for _, endpoint := range state.Endpoints {
		for _, address := range endpoint.Addresses {
			found = append(found, address.Addr)
		}
	}
	sort.Strings(found)
	line, err := json.Marshal(found)
	check(err)
	fmt.Println(string(line))
	return nil
}

func (printer) ReportError(err error)                                { check(err) }
func (printer) NewAddress([]resolver.Address)                        {}
func (printer) ParseServiceConfig(string) *serviceconfig.ParseResult { return nil }

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
