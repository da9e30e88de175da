"""A run's result for a reader: a line a second while it goes on, a page at its end."""

from typing import TextIO

from lbsuite.results import RunResult


class Progress:
    """Writes one line each time it is called with the result so far; `overwrite`: in place, as terminals can."""

    def __init__(self, stream: TextIO, *, overwrite: bool) -> None:
        self._stream = stream
        self._start, self._end = ("\r\x1b[K", "") if overwrite else ("", "\n")
        self._done, self._at_s = 0, 0.0

    def __call__(self, so_far: RunResult) -> None:
        done, elapsed_s = so_far.requests - so_far.lost, so_far.duration_s
        rate = (done - self._done) / max(elapsed_s - self._at_s, 1e-9)
        self._done, self._at_s = done, elapsed_s
        words = f"{elapsed_s:5.0f} s  {done} done  {rate:.1f}/s  p99 {so_far.latency.quantile(0.99) * 1e3:.1f} ms"
        lost = f"  {so_far.lost} lost" if so_far.lost else ""
        waits = f"  {so_far.waits} waits for an endpoint" if so_far.waits else ""
        print(f"{self._start}{words}{lost}{waits}", end=self._end, file=self._stream, flush=True)

    def end(self) -> None:
        """Leaves the line, so that what follows starts on a new one."""
        if not self._end:
            print(file=self._stream, flush=True)


def text(result: RunResult) -> str:
    """The whole result as aligned text."""
    return "\n".join([*_totals(result), "", *_endpoints(result)])


def _totals(result: RunResult) -> list[str]:
    latency = "   ".join(f"{name} {value:.2f}" for name, value in result.latency_ms().items())
    errors = ", ".join(f"{code} {count}" for code, count in sorted(result.errors.items())) or "none"
    lines = {
        "total requests": f"{result.requests}   lost {result.lost}   wrong {result.wrong}",
        "throughput": f"{result.throughput_rps:.2f} req/s over {result.duration_s:.2f} s",
        "latency ms": latency,
        "attempts": f"{result.attempts_per_task:.4f} per task   first ones failed {result.first_attempts_failed}"
        f"   refused by a full backend {result.refused}",
        "waits": f"{result.waits} (asked again, as no endpoint could be named)",
        "errors": errors,
        "fairness": f"{result.jain:.4f} (Jain's index of the requests per endpoint; 1 is even)",
    }
    return [f"{name:15} {value}" for name, value in lines.items()]


def _endpoints(result: RunResult) -> list[str]:
    width = max(map(len, (*result.requests_per_endpoint, "endpoint")))
    done, mean_tasks = max(result.requests - result.lost, 1), result.mean_tasks
    lines = [f"{'endpoint':{width}}  requests   share  peak tasks  mean tasks"]
    for address, count in sorted(result.requests_per_endpoint.items()):
        load = f"{result.peak_tasks[address]:10}  {mean_tasks.get(address, 0.0):10.2f}"
        lines.append(f"{address:{width}}  {count:8}  {count / done:5.1%}  {load}")
    return lines
