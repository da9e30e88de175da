"""An answer that is a status instead of a message."""

import grpc

from lbsuite.errors import LbsuiteError


class Refused(LbsuiteError):
    """A request that gets a status and words for its caller; the door turns it into the RPC's end."""

    def __init__(self, code: grpc.StatusCode, words: str) -> None:
        super().__init__(words)
        self.code = code
