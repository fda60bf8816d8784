"""Token numbers and words from the `tokenizers` package.

pip install tokenizers==0.21.1, then: python Scripts/oracles/word_piece.py DATA MODEL

DATA is the folder of data sets, MODEL a folder with the tokenizer.json of all-MiniLM-L6-v2. The
fixture has the numbers for a vocabulary of its own, hashes of what every Unicode scalar becomes,
and hashes of the numbers that the model's tokenizer gives for whole data sets.
"""

import csv
import gzip
import json
import sys
from importlib.metadata import version
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import WordPiece
from tokenizers.processors import TemplateProcessing

assert version("tokenizers") == "0.21.1", version("tokenizers")

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PIECES = (
    "the a an of in to is un aff able affable run ##ning ##ner ##s ##ing ##aff ##able ##a ##b ##c "
    "##d ##e ##f ##g ##n ##o ##r ##t ##u h e l o w r d hello world ##llo ##ell ##world naive cafe "
    "Cafe strasse straße ß istanbul i ##stanbul 中 国 日 本 語 ##語 한 국 ##국 привет при ##вет мир "
    "γεια ##σ σ ##ς ς κόσμε κοσμε 😀 👍 ##🏽 ## # - ' . , ! ? $ % & ( ) * + / : ; < = > @ [ ] ^ _ ` "
    "{ | } ~ 1 2 3 ##1 ##2 ##3 नम ##स ##ते न म ستے ال ##عربية ½ ² ﬁ ﬁne fine Å å a b ##z z เ ก"
).split()
TEXTS = [
    "", " ", "\n\t", "hello world", "Hello, World!", "unaffable running runners", "xyz", "helloworld",
    "naïve café Café CAFÉ", "cafe\u0301 e\u0301\u0323", "Straße STRASSE ẞ", "İstanbul istanbul ISTANBUL ı",
    "中国 日本語 中a国", "日本語hello", "한국 한국어", "привет мир Привет МИР", "γεια σου κόσμε ΚΌΣΜΕ ΣΑΣ",
    "😀👍🏽 a😀b", "👨‍👩‍👧‍👦 family", "नमस्ते", "العربية", "½ ² ﬁne", "Å Å å Å",
    "a\u0000b a\ufffdb a\u200bb a\u200db a\u00adb a\u00a0b a\u2028b a\u3000b a\u0085b", "a" * 100, "a" * 101,
    "abc" * 40, "[CLS] [SEP] [MASK] [mask] [UNK]x[PAD]", "[[MASK]]", "a[MASK]b[MASK", "don't - stop... #1 $2 %3",
    "a\u302e\U0001d165b e\u0301\u302e\u0323", "e\u0323\u0301 e\u0301\u0323", "\u037e \u1fef \u2126 \u212a",
    "\ufb01 \u01c5 \u0130 \u03a3\u03a3", "\U0002b820 \U0002b920 \uf900 \U0002f800", "\ue000 \U000f0000 \U0010ffff \uffff",
    "¡hola! ¿qué? «a» “b” ‘c’ – — …", "a\u0300\u0301\u0302", "\u0301", "เก้", "A\u030a", "h\u0065\u0301llo", "##a # #", "a_b^c`d~e|f",
]
# Hangul, kana with marks, Hebrew with points, Vietnamese, Devanagari, Thai, emoji with joiners.
TEXTS += ["각각힣 ガガ שָׁלוֹם Việt Nam क़ที่ 🏳️‍🌈 1️⃣", "ǅ ǈ ﷺ ㎏ ⅷ Ⅷ ⓐ Ⓐ 𝔸 𝐇ello 𐐀 𞤀 Ა ᲀ ꭰ Ꭰ"]


def tokenizer(rules):
    vocabulary = {}
    for piece in SPECIAL + PIECES:
        vocabulary.setdefault(piece, len(vocabulary))
    made = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    made.normalizer = normalizers.BertNormalizer(**rules)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    made.add_special_tokens([AddedToken(x, normalized=False) for x in SPECIAL])
    return made, vocabulary


def fnv(data, state=0xCBF29CE484222325):
    for byte in data:
        state = (state ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return state


def scalar_hashes(made):
    """One hash a block of 4,096 scalars: of the words of texts of 256, each between 'a' and 'b'."""
    hashes = []
    for block in range(0, 0x110000, 4096):
        data = bytearray()
        for page in range(block, block + 4096, 256):
            codes = [x for x in range(page, page + 256) if not 0xD800 <= x < 0xE000]
            text = made.normalizer.normalize_str(" ".join(f"a{chr(x)}b" for x in codes))
            words = [word for word, _ in made.pre_tokenizer.pre_tokenize_str(text)]
            data += "\x1f".join(words).encode() + b"\n"
        hashes.append(f"{fnv(data):016x}")
    return hashes


def jsonl(path, fields):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            yield " ".join(record[field] for field in fields)


def data_sets(data):
    data = Path(data)
    yield "retrieval-scifact/corpus.jsonl.gz", ["title", "text"], 5183
    yield "retrieval-scifact/queries.jsonl.gz", ["text"], 1109
    yield "text-20newsgroups/test.jsonl.gz", ["text"], 7532


def main():
    cases = []
    for rules in [
        dict(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True),
        dict(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=False),
        dict(clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=True),
        dict(clean_text=False, handle_chinese_chars=True, strip_accents=True, lowercase=False),
    ]:
        made, vocabulary = tokenizer(rules)
        cases.append({
            "rules": rules,
            "ids": [made.encode(text).ids for text in TEXTS],
            "scalars": scalar_hashes(made) if rules["clean_text"] else [],
        })
    model = Tokenizer.from_file(sys.argv[2] + "/tokenizer.json")
    model.no_padding()
    model.no_truncation()
    sets = []
    for name, fields, count in data_sets(sys.argv[1]):
        texts = list(jsonl(Path(sys.argv[1]) / name, fields))
        assert len(texts) == count, (name, len(texts))
        hashes, tokens = [], 0
        for start in range(0, count, 100):
            data = bytearray()
            for encoding in model.encode_batch(texts[start:start + 100]):
                tokens += len(encoding.ids)
                for id in encoding.ids:
                    data += id.to_bytes(4, "little")
            hashes.append(f"{fnv(data):016x}")
        sets.append({"name": name, "fields": fields, "count": count, "tokens": tokens, "hashes": hashes})
    fixture = {
        "source": "tokenizers.Tokenizer with WordPiece, BertNormalizer, BertPreTokenizer",
        "version": "tokenizers 0.21.1",
        "vocabulary": list(vocabulary),
        "texts": TEXTS,
        "cases": cases,
        "modelIDs": [model.encode(text).ids for text in TEXTS],
        "sets": sets,
    }
    root = Path(__file__).resolve().parents[2]
    path = root / "Tests/BasisTextTests/Fixtures/word-piece.json"
    path.write_text(json.dumps(fixture, ensure_ascii=True) + "\n")


main()
