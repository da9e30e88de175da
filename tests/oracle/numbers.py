"""The hash and the generator, by their specifications."""

MASK = 2**64 - 1
STEP = 0x9E3779B97F4A7C15
P1, P2, P3, P4, P5 = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)


def rotated(word: int, by: int) -> int:
    return (word << by | word >> (64 - by)) & MASK


def _round(lane: int, word: bytes) -> int:
    return rotated((lane + int.from_bytes(word, "little") * P2) & MASK, 31) * P1 & MASK


def _stripes(data: bytes, seed: int) -> int:
    """The start of the hash of 32 bytes and more: four lanes over whole stripes."""
    lanes = [(seed + P1 + P2) & MASK, (seed + P2) & MASK, seed, (seed - P1) & MASK]
    for at in range(0, len(data) - 31, 32):
        lanes = [_round(lane, data[at + 8 * i : at + 8 * i + 8]) for i, lane in enumerate(lanes)]
    h = sum(rotated(lane, by) for lane, by in zip(lanes, (1, 7, 12, 18), strict=True)) & MASK
    for lane in lanes:
        h = ((h ^ _round(0, lane.to_bytes(8, "little"))) * P1 + P4) & MASK
    return h


def xxh64(data: bytes, seed: int) -> int:
    """XXH64 by its specification."""
    h = _stripes(data, seed) if len(data) >= 32 else (seed + P5) & MASK
    h, data = (h + len(data)) & MASK, data[len(data) // 32 * 32 :]
    while len(data) >= 8:
        h, data = (rotated(h ^ _round(0, data[:8]), 27) * P1 + P4) & MASK, data[8:]
    if len(data) >= 4:
        h = (rotated(h ^ int.from_bytes(data[:4], "little") * P1 & MASK, 23) * P2 + P3) & MASK
        data = data[4:]
    for byte in data:
        h = rotated(h ^ byte * P5 & MASK, 11) * P1 & MASK
    h = (h ^ h >> 33) * P2 & MASK
    h = (h ^ h >> 29) * P3 & MASK
    return h ^ h >> 32


def splitmix64(state: int) -> int:
    """What it gives in its next step."""
    z = (state + STEP) & MASK
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


class Rng:
    """xoshiro256++ filled by splitmix64."""

    def __init__(self, seed: int) -> None:
        self.state = [splitmix64(seed + n * STEP) for n in range(4)]

    def next(self) -> int:
        a, b, c, d = self.state
        result = (rotated((a + d) & MASK, 23) + a) & MASK
        c, d = c ^ a, d ^ b
        self.state = [a ^ d, b ^ c, c ^ b << 17 & MASK, rotated(d, 45)]
        return result

    def below(self, bound: int) -> int:
        threshold = 2**32 % bound
        while True:
            product = (self.next() >> 32) * bound
            if product % 2**32 >= threshold:
                return product >> 32
