// A user's client: plain grpc-go, and nothing of lbsuite. It reads orders on stdin and answers in JSON lines.
//
//	call N          calls N times, one after another
//	until ADDRESS   calls until that backend answers
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/status"
	_ "google.golang.org/grpc/xds"
)

// Messages are the bytes themselves.
type plain struct{}

func (plain) Name() string                  { return "plain" }
func (plain) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (plain) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte{}, data...)
	return nil
}

var _ encoding.Codec = plain{}

func ask(channel *grpc.ClientConn) string {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var request, answer []byte
	err := channel.Invoke(ctx, "/who.Who/Are", &request, &answer, grpc.WaitForReady(true), grpc.ForceCodec(plain{}))
	if err != nil {
		return fmt.Sprintf("%s: %s", status.Code(err), status.Convert(err).Message())
	}
	return string(answer)
}

func main() {
	channel, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		panic(err)
	}
	defer channel.Close()
	lines, answers := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	for lines.Scan() {
		order, word, _ := strings.Cut(lines.Text(), " ")
		if order == "call" {
			times, _ := strconv.Atoi(word)
			counts := map[string]int{}
			for range times {
				counts[ask(channel)]++
			}
			answers.Encode(map[string]any{"answers": counts})
			continue
		}
		began, calls := time.Now(), 1
		for ask(channel) != word {
			calls++
		}
		answers.Encode(map[string]any{"calls": calls, "ms": float64(time.Since(began).Microseconds()) / 1e3})
	}
}
