"""F(n) beyond 64 bits, by GMP."""

import threading
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lbsuite
from lbsuite import _core
from oracle.numbers import xxh64

pytestmark = pytest.mark.skipif(_core.gmp_release() is None, reason="built without GMP")

FORMS: dict[str, Callable[[int, _core.Cancel], object]] = {
    "digest": _core.fibonacci_digest,
    "text": _core.fibonacci_text,
}


def doubled(n: int) -> int:
    """F(n) in Python's own integers, by the identities of F(2k) and F(2k + 1)."""
    now, after = 0, 1
    for bit in f"{n:b}":
        now, after = now * (2 * after - now), now * now + after * after
        if bit == "1":
            now, after = after, now + after
    return now


def little_endian(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "little")


@given(st.integers(0, 400) | st.integers(0, 20_000))
def test_every_number_is_that_of_pythons_integers(n: int) -> None:
    number = doubled(n)
    assert lbsuite.fibonacci(n) == number
    assert _core.fibonacci_text(n, _core.Cancel()) == str(number)
    assert _core.fibonacci_digest(n, _core.Cancel()) == (len(str(number)), xxh64(little_endian(number), 0))


@settings(max_examples=10)
@given(st.integers(20_000, 300_000))
def test_large_numbers_are_those_of_pythons_integers(n: int) -> None:
    assert lbsuite.fibonacci(n) == doubled(n)


# The On-Line Encyclopedia of Integer Sequences: A000045 and A068070.
@pytest.mark.parametrize(
    ("n", "text"),
    [
        (94, "19740274219868223167"),
        (100, "354224848179261915075"),
        (
            1000,
            "43466557686937456435688527675040625802564660517371780402481729089536555417949051890403879840079255169295922"
            "593080322634775209689623239873322471161642996440906533187938298969649928516003704476137795166849228875",
        ),
    ],
)
def test_known_numbers_come_out(n: int, text: str) -> None:
    assert _core.fibonacci_text(n, _core.Cancel()) == str(lbsuite.fibonacci(n)) == text


@pytest.mark.parametrize(("power", "digits"), list(enumerate([1, 2, 21, 209, 2090, 20899, 208988, 2089877, 20898764])))
def test_known_numbers_of_digits_come_out(power: int, digits: int) -> None:
    assert _core.fibonacci_digest(10**power, _core.Cancel())[0] == digits


@pytest.mark.parametrize("n", [206_923, 276_908])
def test_digits_are_exact_just_below_and_just_above_a_power_of_ten(n: int) -> None:
    digits, number = _core.fibonacci_digest(n, _core.Cancel())[0], lbsuite.fibonacci(n)
    assert 10 ** (digits - 1) <= number < 10**digits


def test_a_text_of_many_pieces_is_the_number() -> None:
    text, modulus = _core.fibonacci_text(1_000_000, _core.Cancel()), 10**9 + 7
    found = 0
    for at in range(0, len(text), 1000):
        piece = text[at : at + 1000]
        found = (found * pow(10, len(piece), modulus) + int(piece)) % modulus
    assert (text[:20], text[-20:]) == ("19532821287077577316", "68996526838242546875")
    assert found == lbsuite.fibonacci(1_000_000) % modulus


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("n", [-1, 100_000_001, 10**30])
def test_an_n_out_of_bounds_is_refused(form: Callable[[int, _core.Cancel], object], n: int) -> None:
    with pytest.raises(ValueError, match=f"100000000: {n}$"):
        form(n, _core.Cancel())


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("n", [0, 94, 10**8])
def test_a_kernel_cancelled_before_it_begins_does_nothing(form: Callable[[int, _core.Cancel], object], n: int) -> None:
    cancel = _core.Cancel()
    cancel.set()
    with pytest.raises(_core.TaskCancelled):
        form(n, cancel)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_running_kernel_lets_python_run_and_stops_long_before_its_end(
    form: Callable[[int, _core.Cancel], object],
) -> None:
    cancel, begun, used_s, errors = _core.Cancel(), threading.Event(), [0.0], []

    def run() -> None:
        begun.set()
        try:
            form(100_000_000, cancel)
        except _core.TaskCancelled as error:
            errors.append(error)
        used_s[0] = _core.thread_cpu_s()

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(20)
    cancel.set()
    thread.join(60)
    whole_s = _core.thread_cpu_s()
    _core.fibonacci_digest(100_000_000, _core.Cancel())
    whole_s = _core.thread_cpu_s() - whole_s
    assert len(errors) == 1
    assert used_s[0] < whole_s
