"""Values of relevance measures for every query, from trec_eval itself through pytrec_eval.

pip install pytrec-eval-terrier==0.5.11, then: python Scripts/oracles/trec_eval.py
"""

import json
import random
from importlib.metadata import version
from pathlib import Path

import pytrec_eval

assert version("pytrec_eval-terrier") == "0.5.11", version("pytrec_eval-terrier")
SEED = 23
MEASURES = {
    "ndcg", "map", "recip_rank", "Rprec", "bpref",
    "ndcg_cut.1,3,5,10", "map_cut.1,3,5", "P.1,3,5,10", "recall.1,3,10,100", "success.1,3,5",
}


def make_case(rng, grades, scores, query_count):
    """Grades and scores are drawn from few values, so that many documents tie."""
    names = [f"d{i}" for i in range(1, 31)] + ["D7", "d007", "é1", "zz", "a-b"]
    qrels, run = {}, {}
    for query in range(1, query_count + 1):
        judged = rng.sample(names, rng.randrange(1, 15))
        retrieved = rng.sample(names, rng.randrange(1, 30))
        qrels[f"q{query}"] = {d: rng.choice(grades) for d in judged}
        # trec_eval never ends where all grades of a query are below 0.
        qrels[f"q{query}"][judged[0]] = max(0, qrels[f"q{query}"][judged[0]])
        run[f"q{query}"] = {d: rng.choice(scores) for d in retrieved}
    # One query that is judged and not answered, and one the other way round.
    run.pop("q2")
    qrels.pop("q3")
    return qrels, run


def main():
    rng = random.Random(SEED)
    kinds = {
        "binary": ([0, 0, 1], [1.0, 2.0, 3.0]),
        "graded": ([0, 1, 2, 3], [0.5, 0.25, -1.0, 7.0]),
        "negative": ([-2, -1, 0, 1, 2], [1.0, 2.0]),
        "one score": ([0, 1, 4], [0.0]),
        # Apart as doubles, equal in single precision.
        "nearly equal": ([0, 1], [1.0, 1.000000001, 1.000000002, 1.5]),
        "nothing relevant": ([-1, 0], [1.0, 2.0]),
        "untied": ([0, 1, 2], [i / 7 for i in range(400)]),
    }
    cases = []
    for name, (grades, scores) in kinds.items():
        qrels, run = make_case(rng, grades, scores, 6)
        found = pytrec_eval.RelevanceEvaluator(qrels, MEASURES).evaluate(run)
        values = {q: {m: round(v, 9) for m, v in found[q].items()} for q in sorted(found)}
        cases.append({"name": name, "judgments": qrels, "run": run, "values": values})
    fixture = {
        "source": "trec_eval 9 through pytrec_eval",
        "version": "pytrec_eval-terrier 0.5.11",
        "seed": SEED,
        "tolerance": 1e-6,
        "cases": cases,
    }
    root = Path(__file__).resolve().parents[2]
    path = root / "Tests/BasisEvaluationTests/Fixtures/trec_eval.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fixture, separators=(",", ":"), ensure_ascii=False) + "\n")


main()
