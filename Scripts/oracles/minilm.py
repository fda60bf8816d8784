"""Vectors from the sentence-transformers package: of a tiny random model, and of MiniLM.

pip install torch==2.13.0 transformers==4.51.3 sentence-transformers==4.1.0 safetensors==0.5.3, then:
python Scripts/oracles/minilm.py DATA MODEL

DATA is the folder of data sets, MODEL that of all-MiniLM-L6-v2. Writes the tiny model itself, with
sides that no vector register divides, its vectors under every pooling, and MiniLM's for 200 texts.
"""

import base64
import gzip
import json
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from transformers import BertConfig, BertModel

for package, wanted in [("transformers", "4.51.3"), ("sentence-transformers", "4.1.0")]:
    assert version(package) == wanted, (package, version(package))
assert torch.__version__.split("+")[0] == "2.13.0", torch.__version__
SEED = 17
FIXTURES = Path(__file__).resolve().parents[2] / "Tests/BasisTextTests/Fixtures"

MIXED = [
    "a", "", "Hello, World!", "don't stop", "The quick brown fox jumps over the lazy dog.",
    "naïve café résumé", "Straße, Øl, łódź", "привет мир, как дела?", "γεια σου κόσμε",
    "今天天气很好,我们去公园吧。", "日本語のテキストです。", "한국어 문장입니다.", "مرحبا بالعالم",
    "שלום עולם", "नमस्ते दुनिया", "สวัสดีชาวโลก", "😀 😂 🤣 👍🏽 👨‍👩‍👧‍👦 🏳️‍🌈", "I ❤️ NY 🗽!!!", "x" * 150,
    "[CLS] [MASK] tokens in the text [SEP]", "½ ² ³ ﬁne ﬂow", "http://example.org/a?b=c&d=e#f",
    "¿Dónde está la biblioteca?", "Việt Nam đất nước con người", "1234567890 3.14159 -273.15 1e-9",
]


def tiny():
    folder = FIXTURES / "tiny-bert"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "1_Pooling").mkdir(parents=True)
    letters = [chr(x) for x in range(33, 127) if not chr(x).isupper()] + list("éßпривет今天日本😀")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary += letters + ["##" + x for x in letters]
    vocabulary += "the quick brown fox ##ing ##ed hello world text tokens".split()
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=36, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=75, max_position_embeddings=40, hidden_act="gelu")
    config.architectures = ["BertModel"]
    generator = torch.Generator().manual_seed(SEED)
    model = BertModel(config, add_pooling_layer=False)
    for name, tensor in model.state_dict().items():
        if not tensor.is_floating_point():
            continue
        noise = torch.randn(tensor.shape, generator=generator)
        # So large that attention is far from even, and GELU far from a line.
        tensor.copy_(1 + 0.2 * noise if name.endswith("LayerNorm.weight") else 0.25 * noise)
    model.save_pretrained(folder, safe_serialization=True)

    def write(name, value):
        (folder / name).write_text(json.dumps(value, indent=1) + "\n")

    write("tokenizer_config.json", {"tokenizer_class": "BertTokenizer", "do_lower_case": True})
    write("sentence_bert_config.json", {"max_seq_length": 32, "do_lower_case": False})
    write("modules.json", [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ])
    write("config_sentence_transformers.json", {
        "prompts": {"query": "the text: ", "document": ""}, "default_prompt_name": None,
        "similarity_fn_name": "cosine"})
    results = {}
    modes = ["mean_tokens", "cls_token", "max_tokens", "mean_sqrt_len_tokens"]
    for mode in reversed(modes):
        write("1_Pooling/config.json", {
            "word_embedding_dimension": 36, **{f"pooling_mode_{x}": x == mode for x in modes}})
        encoder = SentenceTransformer(str(folder), device="cpu").double()
        assert encoder.max_seq_length == 32
        for role in ["document", "query"]:
            with torch.no_grad():
                vectors = encoder.encode(MIXED, prompt_name=role, convert_to_tensor=True)
            results[f"{mode}/{role}"] = [[round(float(x), 7) for x in row] for row in vectors]
    (FIXTURES / "tiny-bert.json").write_text(json.dumps({
        "source": "sentence_transformers.SentenceTransformer, in double precision",
        "version": "sentence-transformers 4.1.0, transformers 4.51.3, torch 2.13.0",
        "seed": SEED,
        "texts": MIXED,
        "vectors": results,
    }) + "\n")


def minilm(data, model):
    encoder = SentenceTransformer(model, device="cpu")
    assert encoder.max_seq_length == 256
    documents = []
    with gzip.open(Path(data) / "retrieval-scifact/corpus.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in file:
            documents.append(json.loads(line)["text"])
    # The first words of documents: 1, 2, 3 … and some whole ones.
    cuts = [[row, 1 + row] for row in range(0, 150)]
    cuts += [[row, 10_000] for row in range(150, 150 + 200 - len(MIXED) - len(cuts))]
    texts = MIXED + [" ".join(documents[row].split(" ")[:count]) for row, count in cuts]
    assert len(texts) == 200
    torch.set_num_threads(1)
    with torch.no_grad():
        vectors = encoder.encode(texts, batch_size=8, convert_to_numpy=True)
    (FIXTURES / "minilm.json").write_text(json.dumps({
        "source": "sentence_transformers.SentenceTransformer",
        "version": "sentence-transformers 4.1.0, transformers 4.51.3, torch 2.13.0",
        "tolerance": "cosine 0.9999",
        "texts": MIXED,
        "cuts": cuts,
        "halves": base64.b64encode(np.asarray(vectors, "<f2").tobytes()).decode(),
    }) + "\n")


tiny()
minilm(sys.argv[1], sys.argv[2])
