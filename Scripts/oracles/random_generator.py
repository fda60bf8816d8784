"""Golden values of RandomGenerator, from an implementation of its own of the two algorithms.

Sources: xoshiro256** (Blackman & Vigna 2021, doi:10.1145/3460772), seeded by four outputs of
SplitMix64 (Steele, Lea & Flood 2014); FNV-1a over the stream's name. Prints Swift literals for
Tests/BasisCoreTests/RandomGeneratorTests.swift. Python 3, no packages.
"""

MASK = (1 << 64) - 1


class SplitMix64:
    def __init__(self, state):
        self.state = state

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)


def rotl(x, k):
    return ((x << k) | (x >> (64 - k))) & MASK


class Xoshiro256StarStar:
    def __init__(self, state):
        self.s = list(state)

    @classmethod
    def seeded(cls, seed):
        mixer = SplitMix64(seed)
        return cls(mixer.next() for _ in range(4))

    def next(self):
        s = self.s
        result = (rotl((s[1] * 5) & MASK, 7) * 9) & MASK
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 45)
        return result


def stream(seed, name, chunk):
    hashed = 0xCBF29CE484222325
    for byte in name.encode():
        hashed = ((hashed ^ byte) * 0x100000001B3) & MASK
    mixed = SplitMix64(seed).next() ^ hashed
    return Xoshiro256StarStar.seeded(SplitMix64(mixed).next() ^ (chunk & MASK))


def literals(generator, count=4):
    return ", ".join(f"0x{generator.next():016X}" for _ in range(count))


# Published check values: the algorithms here are the ones that they claim to be.
assert SplitMix64(0).next() == 0xE220A8397B1DCDAF
published = Xoshiro256StarStar([1, 2, 3, 4])
assert [published.next() for _ in range(4)] == [11520, 0, 1509978240, 1215971899390074240]

for seed in (0, 1, 0xDEADBEEF, MASK):
    print(f"seed {seed:#x}: {literals(Xoshiro256StarStar.seeded(seed))}")
for seed, name, chunk in ((0, "sample", 0), (0, "sample", 1), (7, "randomized-svd", 0)):
    print(f"stream {seed} {name!r} {chunk}: {literals(stream(seed, name, chunk))}")
generator = Xoshiro256StarStar.seeded(42)
print("doubles of 42:", [(generator.next() >> 11) * 2.0**-53 for _ in range(3)])
generator = Xoshiro256StarStar.seeded(42)
print("below 10 of 42:", [(generator.next() * 10) >> 64 for _ in range(12)])
generator = Xoshiro256StarStar.seeded(42)
order = list(range(10))
for last in range(9, 0, -1):
    other = (generator.next() * (last + 1)) >> 64
    order[last], order[other] = order[other], order[last]
print("shuffle of 42:", order)
