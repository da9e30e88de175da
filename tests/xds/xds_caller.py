"""A user's client: plain grpcio, and nothing of lbsuite. It reads orders on stdin and answers in JSON lines.

call N          calls N times, one after another
until ADDRESS   calls until that backend answers
"""

import json
import sys
import time
from collections import Counter

import grpc


def main() -> None:
    with grpc.insecure_channel(sys.argv[1]) as channel:
        method = channel.unary_unary("/who.Who/Are")

        def ask() -> str:
            try:
                return method(b"", timeout=20, wait_for_ready=True).decode()
            except grpc.RpcError as error:
                return f"{error.code().name}: {error.details()}"

        for line in sys.stdin:
            order, word = line.split()
            if order == "call":
                answers = Counter(ask() for _ in range(int(word)))
                print(json.dumps({"answers": answers}), flush=True)
            else:
                began, calls = time.monotonic(), 1
                while ask() != word:
                    calls += 1
                print(json.dumps({"calls": calls, "ms": (time.monotonic() - began) * 1e3}), flush=True)


if __name__ == "__main__":
    main()
