"""An answer that is a status instead of a message."""

import grpc
import grpc.aio

from lbsuite.errors import LbsuiteError

PUSHBACK = "grpc-retry-pushback-ms"
"""Trailing metadata by which a server says when to try again; a number below 0: not at all (gRFC A6)."""


class Refused(LbsuiteError):
    """A request that gets a status and words for its caller; the door turns it into the RPC's end.

    final: asking again is of no use, and the caller is told so.
    """

    def __init__(self, code: grpc.StatusCode, words: str, *, final: bool = False) -> None:
        super().__init__(words)
        self.code = code
        self.final = final


def is_final(error: grpc.aio.AioRpcError) -> bool:
    """Whether who answered so does not want to be asked again."""
    return str(dict(error.trailing_metadata() or ()).get(PUSHBACK, "")).startswith("-")
