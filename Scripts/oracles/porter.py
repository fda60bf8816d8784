"""Stems of words by Porter's published algorithm, from NLTK.

pip install nltk==3.9.1, then: python Scripts/oracles/porter.py

Words: the paper's examples; the words of Python's own help texts; and random stems with each
suffix, or two of them, that the algorithm knows, so that every rule is met from both sides of its
condition.
"""

import json
import random
import re
from importlib.metadata import version
from pathlib import Path
from pydoc_data import topics

from nltk.stem import PorterStemmer

assert version("nltk") == "3.9.1", version("nltk")

PAPER = """caresses ponies ties caress cats feed agreed plastered bled motoring sing conflated
troubled sized hopping tanned falling hissing fizzed failing filing happy sky relational
conditional rational valenci hesitanci digitizer conformabli radicalli differentli vileli
analogousli vietnamization predication operator feudalism decisiveness hopefulness callousness
formaliti sensitiviti sensibiliti triplicate formative formalize electriciti electrical hopeful
goodness revival allowance inference airliner gyroscopic adjustable defensible irritant replacement
adjustment dependent adoption homologou communism activate angulariti homologous effective bowdlerize
probate rate cease controll roll generalizations oscillators a is as by yes yyyy syzygy toy
""".split()
SUFFIXES = """ational tional enci anci izer abli alli entli eli ousli ization ation ator alism
iveness fulness ousness aliti iviti biliti icate ative alize iciti ical ful ness al ance ence er ic
able ible ant ement ment ent ion sion tion ou ism ate iti ous ive ize e l ll y s es sses ies ss ed
eed ing at bl iz ating bling izing tted ssing lled zzing""".split()
SEED = 7


def main():
    rng = random.Random(SEED)
    words = set(PAPER)
    for text in topics.topics.values():
        words |= set(re.findall(r"\b[a-z]{1,24}\b", text))
    for suffix in SUFFIXES:
        for count in range(24):
            stem = "".join(
                rng.choice(["b", "c", "l", "s", "t", "w", "x", "z", "tr", "a", "e", "i", "o", "y", "y"])
                for _ in range(rng.randrange(0, 6))
            )
            words.add(stem + suffix + (rng.choice(SUFFIXES) if count % 3 == 0 else ""))
    stemmer = PorterStemmer(mode=PorterStemmer.ORIGINAL_ALGORITHM)
    fixture = {
        "source": "nltk.stem.PorterStemmer, mode ORIGINAL_ALGORITHM",
        "version": "nltk 3.9.1",
        "seed": SEED,
        "tolerance": 0,
        "stems": {word: stemmer.stem(word) for word in sorted(words)},
    }
    root = Path(__file__).resolve().parents[2]
    path = root / "Tests/BasisTextTests/Fixtures/porter.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fixture, indent=0, sort_keys=True) + "\n")
    print(len(words), "words")


main()
