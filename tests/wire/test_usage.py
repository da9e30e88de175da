"""What a backend says it uses is what psutil sees of it."""

import mmap
import time

import psutil
import pytest

from lbsuite.wire.joining.usage import EVERY_S, Usage


def test_resident_memory_is_what_psutil_sees() -> None:
    usage, process = Usage(), psutil.Process()
    usage.sample(time.monotonic())
    before = usage.memory_bytes
    assert before == pytest.approx(process.memory_info().rss, abs=4 << 20)
    with mmap.mmap(-1, 32 << 20) as held:
        held.write(b"x" * (32 << 20))
        usage.sample(time.monotonic() + EVERY_S)
        assert usage.memory_bytes == pytest.approx(process.memory_info().rss, abs=4 << 20)
        assert usage.memory_bytes - before > 24 << 20


def test_cpu_is_a_share_of_one_core_since_the_sample_before() -> None:
    usage = Usage()
    begun_s = time.monotonic()
    usage.sample(begun_s)
    assert usage.cpu == 0.0
    used_s = time.process_time()
    while time.process_time() - used_s < 0.05:
        pass
    usage.sample(begun_s + 0.5)
    assert 0.05 <= usage.cpu * 0.5 < 0.5


def test_samples_are_not_taken_more_often_than_they_pay() -> None:
    usage = Usage()
    usage.sample(100.0)
    usage.memory_bytes = -1
    usage.sample(100.0 + EVERY_S / 2)
    assert usage.memory_bytes == -1
    usage.sample(100.0 + 2 * EVERY_S)
    assert usage.memory_bytes > 0
