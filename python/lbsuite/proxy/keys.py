"""What of a request a policy that goes by a key gets."""

from lbsuite.proxy.message import Head


def key_of(head: Head, source: str) -> str | None:
    """source: "path", "header:NAME", "cookie:NAME", or "" for none."""
    kind, _, name = source.partition(":")
    match kind:
        case "path":
            return head.target.partition("?")[0]
        case "header":
            return head.find(name.lower()) or ""
        case "cookie":
            return _cookie(head.find("cookie") or "", name)
        case _:
            return None


def _cookie(cookies: str, name: str) -> str:
    pairs = (each.strip(" ").partition("=") for each in cookies.split(";"))
    return next((value for own, equals, value in pairs if own == name and equals), "")
