"""`lbsuite stress`: load for an HTTP server, and how it was spread over the servers behind."""

import argparse
import asyncio
import json
import sys
from pathlib import Path

from lbsuite import arrivals
from lbsuite.cli import daemon, readout
from lbsuite.cli.arguments import Parser, checked, positive
from lbsuite.cli.client import writable
from lbsuite.errors import LbsuiteError
from lbsuite.proxy.stress import StressResult, StressSettings, stress

EXAMPLE = """a closed loop, unless --rate is given; latencies count from the intended start
examples:
  lbsuite stress --url http://127.0.0.1:8080/ --requests 1e5 --concurrency 256
  lbsuite stress --url http://127.0.0.1:8080/ --rate 5000 --plot spread.png
"""


def add_flags(parser: Parser) -> None:
    add = parser.add_argument
    add("--url", type=_url, required=True, metavar="U", help="http://HOST:PORT/PATH")
    add("--requests", type=_count, default="1e5", metavar="N", help="in all (%(default)s)")
    add("--concurrency", type=_connections, default="256", metavar="N", help="connections (%(default)s)")
    add("--rate", type=positive(1e6), metavar="R", help="open loop: requests a second")
    add("--arrivals", choices=arrivals.KINDS, default="poisson", help="of the open loop (%(default)s)")
    add("--timeout-s", type=positive(), default="10", metavar="S", help="of one request (%(default)s)")
    add("--server-header", type=_token, default="X-Backend", metavar="H", help="names the server (%(default)s)")
    add("--csv", type=writable, default="server_stats.csv", metavar="FILE", help="a row a server (%(default)s)")
    add("--plot", type=writable, metavar="FILE", help="a picture of the spread and the latencies; needs matplotlib")
    add("--json", action="store_true", help="the result as one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    settings = StressSettings(
        url=args.url,
        requests=args.requests,
        concurrency=args.concurrency,
        rate=args.rate,
        arrivals=args.arrivals,
        timeout_s=args.timeout_s,
        server_header=args.server_header,
    )
    result = asyncio.run(_measure(settings))
    try:
        with args.csv.open("w", newline="") as file:
            result.write_csv(file)
    except OSError as error:
        raise LbsuiteError(f"cannot write to {str(args.csv)!r}: {error.strerror}") from None
    if args.plot:
        _plot(result, args.plot)
    print(_document(result) if args.json else text(result))
    return 1 if result.run.lost else 0


async def _measure(settings: StressSettings) -> StressResult:
    terminal = sys.stderr.isatty()
    line = readout.Progress(sys.stderr, overwrite=terminal) if terminal else None
    try:
        return await stress(settings, progress=line, stop=daemon.stop_event())
    finally:
        if line:
            line.end()


def _document(result: StressResult) -> str:
    run = result.run
    summary = {"requests": run.requests, "lost": run.lost, "throughput_rps": run.throughput_rps, "jain": run.jain}
    statuses = {str(status): count for status, count in sorted(result.statuses.items())}
    return json.dumps(
        summary
        | {"latency_ms": run.latency_ms(), "statuses": statuses, "errors": dict(run.errors), "servers": result.rows()}
    )


def text(result: StressResult) -> str:
    """The whole result as aligned text."""
    run = result.run
    latency = "   ".join(f"{name} {value:.2f}" for name, value in run.latency_ms().items())
    errors = ", ".join(f"{why} {count}" for why, count in sorted(run.errors.items())) or "none"
    width = max(map(len, (*(str(row["server"]) for row in result.rows()), "server")))
    lines = [
        f"requests     {run.requests}   failed {run.lost}",
        f"throughput   {run.throughput_rps:.0f} req/s over {run.duration_s:.2f} s",
        f"latency ms   {latency}",
        f"errors       {errors}",
        f"fairness     {run.jain:.6f} (Jain's index; 1 is even)",
        "",
        f"{'server':{width}}  requests    share  errors   p50 ms   p99 ms",
    ]
    for row in result.rows():
        lines.append(
            f"{row['server']:{width}}  {row['requests']:8}  {row['share']:7.3%}  {row['errors']:6}"
            f"  {row['p50_ms']:7.2f}  {row['p99_ms']:7.2f}"
        )
    return "\n".join(lines)


def _plot(result: StressResult, path: Path) -> None:
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError:
        raise LbsuiteError("--plot needs matplotlib: pip install 'lbsuite[notebooks]'") from None
    rows = result.rows()
    figure, (spread, times) = pyplot.subplots(1, 2, figsize=(11, 4), constrained_layout=True)
    spread.bar([str(row["server"]) for row in rows], [row["requests"] for row in rows])
    spread.set(title="requests per server", ylabel="requests")
    spread.tick_params(axis="x", rotation=60)
    shares = [number / 1000 for number in range(1, 1000)]
    times.plot([result.run.latency.quantile(share) * 1e3 for share in shares], shares)
    times.set(title="latency", xlabel="ms", ylabel="share of requests", xscale="log")
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise LbsuiteError(f"cannot write a picture to {str(path)!r}: {error}") from None


@checked
def _url(text: str) -> str:
    StressSettings(text).target()
    return text


@checked
def _count(text: str) -> int:
    """A whole number, which may be written as 1e5."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not (1 <= value <= 1e9 and value == int(value)):
        raise ValueError(f"not a whole number in 1..1e9: {text!r}")
    return int(value)


@checked
def _connections(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 10_000):
        raise ValueError(f"not a whole number in 1..10000: {text!r}")
    return int(text)


@checked
def _token(text: str) -> str:
    if not text or not all(c.isascii() and (c.isalnum() or c in "!#$%&'*+-.^_`|~") for c in text):
        raise ValueError(f"not the name of a header: {text!r}")
    return text
