"""The named streams of RunContext for other oracles, from the algorithms' descriptions.

xoshiro256** (Blackman & Vigna 2021, doi:10.1145/3460772), seeded by SplitMix64 (Steele, Lea &
Flood 2014); FNV-1a over the stream's name. Its own check values are those of random_generator.py.
Python 3, no packages.
"""

MASK = (1 << 64) - 1


def mixed(state):
    """The outputs of SplitMix64."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield z ^ (z >> 31)


def rotated(x, k):
    return ((x << k) | (x >> (64 - k))) & MASK


class Stream:
    def __init__(self, seed):
        outputs = mixed(seed)
        self.state = [next(outputs) for _ in range(4)]

    def word(self):
        a, b, c, d = self.state
        c ^= a
        d ^= b
        self.state = [a ^ d, b ^ c, c ^ ((b << 17) & MASK), rotated(d, 45)]
        return (rotated((b * 5) & MASK, 7) * 9) & MASK

    def below(self, bound):
        product = self.word() * bound
        if product & MASK < bound:
            threshold = (1 << 64) % bound
            while product & MASK < threshold:
                product = self.word() * bound
        return product >> 64


def stream(seed, name, chunk):
    hashed = 0xCBF29CE484222325
    for byte in name.encode():
        hashed = ((hashed ^ byte) * 0x100000001B3) & MASK
    return Stream(next(mixed(next(mixed(seed)) ^ hashed)) ^ chunk)


assert Stream(0).word() == 0x99EC5F36CB75F2B4
assert stream(0, "sample", 1).word() == 0x8F093FC8599851D1
