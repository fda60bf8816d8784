"""Rounds of SimCore by its description, over whole similarity matrices, in numpy;
and greedy facility location by apricot.

Similarities come from a formula without ties in a column, so that the fixture has answers only.

pip install numpy==2.4.6 apricot-select==0.6.1, then: python Scripts/oracles/simcore.py
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from apricot import FacilityLocationSelection

assert np.__version__ == "2.4.6", np.__version__
assert version("apricot-select") == "0.6.1", version("apricot-select")
PRIME = 65537


def similarities(n, k, a, b):
    i, j = np.arange(n)[:, None], np.arange(k)[None]
    return ((i * (a + b * j) + 7 * j * j) % PRIME) / PRIME * 2 - 1


def rounds(sim, budget, stop=None, patience=20):
    """Whole rounds only; each centre walks down its own order."""
    orders = np.argsort(-sim, axis=0, kind="stable")
    place = [0] * sim.shape[1]
    taken, values, threshold = set(), [], -np.inf
    while len(taken) < budget:
        wanted = []
        for centre in range(sim.shape[1]):
            while orders[place[centre], centre] in taken:
                place[centre] += 1
            wanted.append(orders[place[centre], centre])
        value = float(np.mean([sim[row, centre] for centre, row in enumerate(wanted)]))
        values.append(value)
        if stop is not None:
            if len(values) == patience:
                threshold = stop * value
            if value < threshold:
                break
        if len(taken) + len(set(wanted)) > budget:
            break
        taken |= set(wanted)
    return sorted(map(int, taken)), values


def facility(sim, count):
    best, chosen = np.zeros(sim.shape[1]), []
    for _ in range(count):
        gains = np.maximum(sim - best, 0).sum(1)
        gains[chosen] = -1
        chosen.append(int(gains.argmax()))
        best = np.maximum(best, sim[chosen[-1]])
    return chosen, float(best.sum())


def apricot(n, count):
    sim = similarities(n, n, 7919, 104)
    sim = np.maximum(0, sim + sim.T) / 2
    model = FacilityLocationSelection(count, metric="precomputed", optimizer="lazy").fit(sim)
    chosen = [int(row) for row in model.ranking]
    return {"n": n, "count": count, "rows": chosen, "value": float(sim[chosen].max(0).sum())}


def main():
    cases = []
    for n, k, a, b, budget, stop, patience in [
            (2000, 20, 7919, 104, 300, None, 20), (2000, 20, 7919, 104, 10**9, 0.95, 20),
            (2000, 20, 31, 1009, 10**9, 0.9, 5), (500, 3, 271, 829, 90, None, 20)]:
        sim = similarities(n, k, a, b)
        if stop is None:
            # A budget that whole rounds meet.
            budget = len(rounds(sim, budget)[0])
        rows, values = rounds(sim, budget, stop, patience)
        chosen, value = facility(sim, 12)
        cases.append({
            "n": n, "k": k, "a": a, "b": b, "budget": budget, "stop": stop, "patience": patience,
            "rows": rows, "values": values, "facility": chosen, "facilityValue": value})
    fixture = {
        "source": "rounds of arXiv:2303.11101, section 3.2, in numpy; apricot",
        "version": "numpy 2.4.6, apricot-select 0.6.1", "apricot": apricot(150, 12),
        "tolerance": 1e-6, "cases": cases}
    path = Path(__file__).parents[2] / "Tests/BasisSelectionTests/Fixtures/simcore.json"
    path.write_text(json.dumps(fixture) + "\n")


main()
