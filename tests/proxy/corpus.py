"""Hostile and odd requests: what is sent, what must be answered, what may reach a backend, and which RFC says so.

Sections are those of RFC 9112, but for those that begin with another RFC's number.
"""

from dataclasses import dataclass, field

HEAD_BYTES = 8192
TARGET_BYTES = 2048
FIELDS = 50
BODY_BYTES = 100_000
LIMITS = {
    "head_bytes": HEAD_BYTES,
    "target_bytes": TARGET_BYTES,
    "fields": FIELDS,
    "body_bytes": BODY_BYTES,
    "idle_s": 10.0,
}


@dataclass(frozen=True)
class Reached:
    """A request as the backend must see it."""

    line: str
    body: bytes = b""
    fields: dict[str, str] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """One client's bytes. `answers`: statuses in order, of which any of a tuple will do."""

    name: str
    section: str
    sent: bytes
    answers: tuple[tuple[int, ...], ...]
    reached: tuple[Reached, ...] = ()
    stays: bool = False  # another request may follow
    ends: bool = False  # the client ends its side after the last byte


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: b\r\n\r\n"
OK = (200,)
GET = Reached("GET /a")


def head(*lines: str | bytes, first: str | bytes = "GET /a HTTP/1.1", host: str | None = "h") -> bytes:
    all_lines = [first, *([f"Host: {host}"] if host is not None else []), *lines, "", ""]
    return b"\r\n".join(line.encode("latin-1") if isinstance(line, str) else line for line in all_lines)


def post(*lines: str | bytes, body: bytes = b"", version: str = "1.1") -> bytes:
    return head(*lines, first=f"POST /a HTTP/{version}") + body


def chunked(body: bytes, *lines: str) -> bytes:
    return post("Transfer-Encoding: chunked", *lines, body=body)


def refused(name: str, section: str, sent: bytes, *statuses: int) -> Case:
    return Case(name, section, sent + SMUGGLED, (statuses or (400,),))


def passed(name: str, section: str, sent: bytes, *reached: Reached) -> Case:
    return Case(name, section, sent, (OK,) * len(reached), reached, stays=True)


def last(name: str, section: str, sent: bytes, *reached: Reached, ends: bool = False) -> Case:
    return Case(name, section, sent, (OK,) * len(reached), reached, ends=ends)


def posted(body: bytes, *lacks: str) -> Reached:
    return Reached("POST /a", body, lacks=lacks)


LENGTHS = [
    refused("Content-Length with Transfer-Encoding", "6.3", chunked(b"0\r\n\r\n", "Content-Length: 5")),
    refused(
        "Transfer-Encoding after Content-Length",
        "6.3",
        post("Content-Length: 4", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    ),
    refused("two Content-Lengths that differ", "6.3", post("Content-Length: 0", "Content-Length: 35")),
    refused("two Content-Lengths that are the same", "6.3", post("Content-Length: 2", "Content-Length: 2", body=b"ab")),
    refused("a list of equal lengths", "6.3", post("Content-Length: 2, 2", body=b"ab")),
    refused("a signed length", "6.2", post("Content-Length: +2", body=b"ab")),
    refused("a negative length", "6.2", post("Content-Length: -2", body=b"ab")),
    refused("a hexadecimal length", "6.2", post("Content-Length: 0x2", body=b"ab")),
    refused("a length with a fraction", "6.2", post("Content-Length: 2.0", body=b"ab")),
    refused("a length with a space in it", "6.2", post("Content-Length: 1 0", body=b"0123456789")),
    refused("an empty length", "6.2", post("Content-Length:")),
    refused("a length of letters", "6.2", post("Content-Length: two", body=b"ab")),
    refused("a length beyond 64 bits", "6.3", post("Content-Length: 18446744073709551617", body=b"a")),
    refused("a length of 40 digits", "6.3", post("Content-Length: " + "9" * 40, body=b"a")),
    refused("a length with an underscore", "6.2", post("Content-Length: 1_0", body=b"0123456789")),
    refused("a length with a tab before the colon", "5.1", post("Content-Length\t: 2", body=b"ab")),
    Case("a body longer than is taken", "RFC 9110 15.5.14", post(f"Content-Length: {BODY_BYTES + 1}"), ((413,),)),
    passed("leading zeros of a length", "6.2", post("Content-Length: 0002", body=b"ab"), posted(b"ab")),
    passed("white space around a length", "5.1", post("Content-Length: \t2 ", body=b"ab"), posted(b"ab")),
    passed("a length of 0", "6.2", post("Content-Length: 0"), posted(b"")),
    passed(
        "a GET with a body",
        "RFC 9110 9.3.1",
        head("Content-Length: 35") + SMUGGLED[:35],
        Reached("GET /a", SMUGGLED[:35]),
    ),
]

CODINGS = [
    refused("a coding other than chunked", "6.1", post("Transfer-Encoding: gzip"), 400, 501),
    refused("gzip before chunked", "6.1", post("Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"), 400, 501),
    refused("chunked before gzip", "6.3", post("Transfer-Encoding: chunked, gzip", body=b"0\r\n\r\n"), 400, 501),
    refused("chunked twice in a list", "6.1", post("Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n")),
    refused("chunked twice", "6.1", chunked(b"0\r\n\r\n", "Transfer-Encoding: chunked")),
    refused("chunked and identity", "6.1", chunked(b"0\r\n\r\n", "Transfer-Encoding: identity")),
    refused("identity", "6.1", post("Transfer-Encoding: identity"), 400, 501),
    refused(
        "a name that only begins with chunked", "6.1", post("Transfer-Encoding: chunkedx", body=b"0\r\n\r\n"), 400, 501
    ),
    refused(
        "a name that only ends with chunked", "6.1", post("Transfer-Encoding: xchunked", body=b"0\r\n\r\n"), 400, 501
    ),
    refused("chunked in quotes", "6.1", post('Transfer-Encoding: "chunked"', body=b"0\r\n\r\n"), 400, 501),
    refused("chunked with a parameter", "6.1", post("Transfer-Encoding: chunked;q=1", body=b"0\r\n\r\n"), 400, 501),
    refused("an empty element before chunked", "6.1", post("Transfer-Encoding: ,chunked", body=b"0\r\n\r\n")),
    refused("an empty coding", "6.1", post("Transfer-Encoding:", body=b"0\r\n\r\n")),
    refused("a vertical tab before chunked", "5.5", post("Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n")),
    refused(
        "a space before the colon of Transfer-Encoding", "5.1", post("Transfer-Encoding : chunked", body=b"0\r\n\r\n")
    ),
    refused("a folded coding", "5.2", post("Transfer-Encoding:\r\n chunked", body=b"0\r\n\r\n")),
    refused("chunked in HTTP/1.0", "6.1", post("Transfer-Encoding: chunked", body=b"0\r\n\r\n", version="1.0")),
    passed(
        "a tab before chunked", "5.1", post("Transfer-Encoding:\tchunked", body=b"2\r\nab\r\n0\r\n\r\n"), posted(b"ab")
    ),
    passed("chunked in capitals", "7", post("TRANSFER-ENCODING: CHUNKED", body=b"2\r\nab\r\n0\r\n\r\n"), posted(b"ab")),
    passed(
        "an underscore makes another field of it",
        "RFC 9110 5.1",
        head("Transfer_Encoding: chunked", "Content_Length: 9"),
        Reached("GET /a", lacks=("transfer_encoding", "content_length")),
    ),
]

CHUNKS = [
    refused("an empty chunk size", "7.1", chunked(b"\r\nab\r\n0\r\n\r\n")),
    refused("a signed chunk size", "7.1", chunked(b"+2\r\nab\r\n0\r\n\r\n")),
    refused("a negative chunk size", "7.1", chunked(b"-2\r\nab\r\n0\r\n\r\n")),
    refused("0x in a chunk size", "7.1", chunked(b"0x2\r\nab\r\n0\r\n\r\n")),
    refused("a chunk size beyond 64 bits", "7.1", chunked(b"10000000000000002\r\nab\r\n0\r\n\r\n")),
    refused("a space before a chunk size", "7.1", chunked(b" 2\r\nab\r\n0\r\n\r\n")),
    refused("a space after a chunk size", "7.1.1", chunked(b"2 \r\nab\r\n0\r\n\r\n")),
    refused("an underscore in a chunk size", "7.1", chunked(b"1_0\r\nab\r\n0\r\n\r\n")),
    refused("a bare LF after a chunk size", "7.1", chunked(b"2\nab\r\n0\r\n\r\n")),
    refused("a bare CR after a chunk size", "7.1", chunked(b"2\rab\r\n0\r\n\r\n")),
    refused("a bare LF in a chunk extension", "7.1.1", chunked(b"2;x\nab\r\n0\r\n\r\n")),
    refused("a bare CR in a chunk extension", "7.1.1", chunked(b"2;a\rb\r\nab\r\n0\r\n\r\n")),
    refused("a NUL in a chunk extension", "7.1.1", chunked(b"2;a\0b\r\nab\r\n0\r\n\r\n")),
    refused("an extension that never ends", "7.1.1", chunked(b"2;" + b"x" * (2 * HEAD_BYTES) + b"\r\nab\r\n0\r\n\r\n")),
    refused("data without CR LF", "7.1", chunked(b"2\r\nab0\r\n\r\n")),
    refused("data longer than its chunk", "7.1", chunked(b"2\r\nabc\r\n0\r\n\r\n")),
    refused("a bare LF after data", "7.1", chunked(b"2\r\nab\n0\r\n\r\n")),
    refused("a bare LF after the last chunk", "7.1", chunked(b"2\r\nab\r\n0\n\r\n")),
    refused("a bare LF in a trailer", "7.1.2", chunked(b"0\r\nX: y\nZ: w\r\n\r\n")),
    refused("a folded trailer", "7.1.2", chunked(b"0\r\nX: y\r\n z\r\n\r\n")),
    refused("a trailer without a colon", "7.1.2", chunked(b"0\r\nXy\r\n\r\n")),
    refused("a space before a trailer's colon", "7.1.2", chunked(b"0\r\nX : y\r\n\r\n")),
    refused("a NUL in a trailer", "7.1.2", chunked(b"0\r\nX: \0\r\n\r\n")),
    refused("more trailers than a head may have", "7.1.2", chunked(b"0\r\n" + b"X: y\r\n" * HEAD_BYTES + b"\r\n")),
    Case(
        "chunks longer than is taken",
        "RFC 9110 15.5.14",
        chunked(b"%x\r\n%b\r\n0\r\n\r\n" % (BODY_BYTES + 1, b"a" * (BODY_BYTES + 1))),
        ((413,),),
    ),
    passed("a chunk extension is dropped", "7.1.1", chunked(b'2;a=b;c="d;e"\r\nab\r\n0;x\r\n\r\n'), posted(b"ab")),
    passed("leading zeros of a chunk size", "7.1", chunked(b"00000002\r\nab\r\n000\r\n\r\n"), posted(b"ab")),
    passed("many chunks of a byte", "7.1", chunked(b"1\r\na\r\n" * 3000 + b"0\r\n\r\n"), posted(b"a" * 3000)),
    passed(
        "a trailer is sent on",
        "7.1.2",
        chunked(b"2\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n"),
        Reached("POST /a", b"ab", {"x-sum": "1"}),
    ),
    refused("a trailer that frames", "RFC 9110 6.5.1", chunked(b"0\r\nContent-Length: 9\r\n\r\n")),
    passed(
        "trailers that route, name or permit are dropped",
        "RFC 9110 6.5.1",
        chunked(
            b"0\r\nHost: x\r\nX-Forwarded-For: z\r\nX_Forwarded_For: z\r\nAuthorization: w\r\nConnection: close\r\n\r\n"
        ),
        posted(b"", "authorization", "connection", "x_forwarded_for"),
    ),
]
