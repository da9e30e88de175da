"""The same from plain grpcio: the balancer tells gRPC's own xDS client who serves, and lbsuite is not needed here.

python -m lbsuite lb --listen 127.0.0.1:50050 --xds-port 50051 --no-etcd
export GRPC_XDS_BOOTSTRAP_CONFIG="$(python -m lbsuite bootstrap --xds 127.0.0.1:50051)"
python examples/primes_xds_client.py xds:///primes
"""

import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import grpc

messages, services = grpc.protos_and_services("primes.proto")
BELOW, STEP, AT_ONCE = 300_000, 1_500, 16

with grpc.insecure_channel(sys.argv[1]) as channel, ThreadPoolExecutor(AT_ONCE) as callers:
    stub = services.PrimesStub(channel)

    def count(first: int) -> messages.Total:
        return stub.Count(messages.Range(first=first, last=first + STEP), timeout=30, wait_for_ready=True)

    totals = list(callers.map(count, range(0, BELOW, STEP)))

print(sum(total.primes for total in totals), "primes below", BELOW)
for server, calls in sorted(Counter(total.counted_by for total in totals).items()):
    print(server, "took", calls, "of", len(totals), "calls")
