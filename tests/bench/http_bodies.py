"""Bodies that nobody has to store, and both ends of a connection that carries them.

A body is known by its size: every 64 KiB of it begin with their number, so that none can be lost, doubled or moved
unseen. Run as a program it is a backend: POST answers with the hash of what came, GET /SIZE gives such a body.
"""

import functools
import hashlib
import http.client
import random
import struct
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PIECE_BYTES = 65536
READ_BYTES = 262144
DEADLINE_S = 120.0
_NOISE = random.Random(7).randbytes(PIECE_BYTES)


def pieces(size: int) -> Iterator[bytes]:
    piece = bytearray(_NOISE)
    for number in range((size + PIECE_BYTES - 1) // PIECE_BYTES):
        struct.pack_into("<Q", piece, 0, number)
        yield bytes(piece[: min(PIECE_BYTES, size - number * PIECE_BYTES)])


@functools.cache
def digest(size: int) -> str:
    whole = hashlib.sha256()
    for piece in pieces(size):
        whole.update(piece)
    return whole.hexdigest()


def up(client: http.client.HTTPConnection, size: int, *, chunked: bool) -> bool:
    """Whether the backend got all of the body."""
    framing = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(size)}
    client.request("POST", "/", body=pieces(size), headers=framing, encode_chunked=chunked)
    return client.getresponse().read().decode() == digest(size)


def down(client: http.client.HTTPConnection, size: int, *, chunked: bool) -> bool:
    """Whether all of the body came."""
    client.request("GET", f"/{size}" + ("?chunked" if chunked else ""))
    answer, came = client.getresponse(), hashlib.sha256()
    while data := answer.read(READ_BYTES):
        came.update(data)
    return came.hexdigest() == digest(size)


class _Backend(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        came = hashlib.sha256()
        for data in self._chunks() if "Transfer-Encoding" in self.headers else self._body(self._length()):
            came.update(data)
        said = came.hexdigest().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def do_GET(self) -> None:
        size, _, chunked = self.path[1:].partition("?")
        self.send_response(200)
        self.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", size)))
        self.end_headers()
        for piece in pieces(int(size)):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        pass

    def _length(self) -> int:
        return int(self.headers["Content-Length"])

    def _body(self, left: int) -> Iterator[bytes]:
        while left > 0 and (data := self.rfile.read(min(left, READ_BYTES))):
            left -= len(data)
            yield data

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield from self._body(size)
            self.rfile.readline()
        self.rfile.readline()


def main() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Backend) as backend:
        backend.daemon_threads = True
        print(f"listening {backend.server_port}", flush=True)
        backend.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
