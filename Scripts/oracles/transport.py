"""Exact transport, Sinkhorn's plans and blurred costs on small problems, by POT and by the formulas.

pip install POT==0.9.7.post1 numpy==2.4.6 scipy==1.17.1, then: python Scripts/oracles/transport.py

Values of annealed potentials follow Feydy, *Geometric data analysis, beyond convolutions* (2020),
section 3.3.3, in numpy: the schedule and the order of updates of its released package.
"""

import json
from pathlib import Path

import numpy as np
import ot
import scipy
from scipy.special import logsumexp

assert ot.__version__ == "0.9.7.post1", ot.__version__
assert np.__version__ == "2.4.6", np.__version__
SEED = 100


def floats(x):
    return np.asarray(x, dtype=np.float32).astype(np.float64)


def masses(rng, n, kind):
    if kind == "equal":
        return np.full(n, 1 / n)
    a = rng.uniform(0.2, 2, n)
    if kind == "holes":
        a[:: max(2, n // 3)] = 0
    return a / a.sum()


def costs(rng, n, m, d, power):
    x = rng.normal(size=(n, d))
    y = rng.normal(size=(m, d)) + 0.5
    return floats(((x[:, None] - y[None]) ** 2).sum(-1) ** (power / 2))


def exact(rng, n, m, kind, d, ties=False):
    c = costs(rng, n, m, d, 1)
    if ties:
        c = np.round(2 * c)
    a, b = masses(rng, n, kind), masses(rng, m, kind)
    plan, log = ot.emd(a, b, c, log=True, numItermax=10**7)
    return {
        "n": n, "m": m, "costs": c.ravel().tolist(), "supply": a.tolist(), "demand": b.tolist(),
        "cost": float((plan * c).sum())}


def balanced(rng, n, m, kind, blur):
    c = costs(rng, n, m, 2, 2)
    a, b = masses(rng, n, kind), masses(rng, m, kind)
    plan = ot.sinkhorn(a, b, c, blur**2, method="sinkhorn_log", stopThr=1e-13, numItermax=200000)
    return {
        "n": n, "m": m, "costs": c.ravel().tolist(), "supply": a.tolist(), "demand": b.tolist(),
        "blur": blur, "plan": plan.ravel().tolist(), "cost": float((plan * c).sum())}


def unbalanced(rng, n, m, blur, reach):
    c = costs(rng, n, m, 2, 2)
    a, b = 1.5 * masses(rng, n, "own"), masses(rng, m, "own")
    plan = ot.unbalanced.sinkhorn_unbalanced(
        a, b, c, blur**2, reach**2, reg_type="kl", stopThr=1e-13, numItermax=200000)
    return {
        "n": n, "m": m, "costs": c.ravel().tolist(), "supply": a.tolist(), "demand": b.tolist(),
        "blur": blur, "reach": reach, "plan": plan.ravel().tolist(),
        "cost": float((plan * c).sum())}


def annealed(c, a, b, blur, power, scaling, reach):
    """The value of potentials that are annealed, and not settled."""
    eps = blur**power
    rho = None if reach is None else reach**power
    start = c.max()
    steps = [start] + list(
        np.exp(np.arange(np.log(start), np.log(eps), power * np.log(scaling)))) + [eps]
    la, lb = np.log(a), np.log(b)

    def soft(costs, weights, potentials, e):
        damping = 1 if rho is None else 1 / (1 + e / rho)
        return -damping * e * logsumexp(weights + (potentials - costs) / e, axis=1)

    f = soft(c, lb, 0 * lb, steps[0])
    g = soft(c.T, la, 0 * la, steps[0])
    for e in steps:
        f, g = (f + soft(c, lb, g, e)) / 2, (g + soft(c.T, la, f, e)) / 2
    f, g = soft(c, lb, g, eps), soft(c.T, la, f, eps)
    if rho is None:
        return float(a @ f + b @ g)
    weight = rho + eps / 2
    return float(weight * (a @ (1 - np.exp(-f / rho)) + b @ (1 - np.exp(-g / rho))))


def blurred(rng, n, m, blur, power, scaling, reach, kind):
    x = rng.normal(size=(n, 2))
    y = rng.normal(size=(m, 2)) + 0.5
    a, b = masses(rng, n, kind), masses(rng, m, kind)

    def cost(p, q):
        return floats(((p[:, None] - q[None]) ** 2).sum(-1) ** (power / 2))

    def value(p, q, wp, wq):
        return annealed(cost(p, q), wp, wq, blur, power, scaling, reach)

    between = value(x, y, a, b)
    return {
        "n": n, "m": m, "costs": cost(x, y).ravel().tolist(),
        "sourceCosts": cost(x, x).ravel().tolist(), "targetCosts": cost(y, y).ravel().tolist(),
        "supply": a.tolist(), "demand": b.tolist(), "blur": blur, "power": power,
        "scaling": scaling, "reach": reach, "value": between,
        "divergence": between - value(x, x, a, a) / 2 - value(y, y, b, b) / 2}


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return float(f"{value:.13g}") if isinstance(value, float) else value


def main():
    rng = np.random.default_rng(SEED)
    result = {
        "source": f"POT {ot.__version__}, scipy {scipy.__version__}", "seed": SEED,
        "exact": [
            exact(rng, 1, 1, "equal", 2), exact(rng, 1, 5, "own", 2), exact(rng, 9, 2, "own", 3),
            exact(rng, 12, 12, "equal", 2), exact(rng, 14, 11, "own", 1),
            exact(rng, 13, 12, "holes", 2), exact(rng, 12, 12, "equal", 2, ties=True),
            exact(rng, 20, 17, "own", 16)],
        "balanced": [
            balanced(rng, 9, 7, "equal", 0.5), balanced(rng, 8, 11, "own", 0.3),
            balanced(rng, 10, 10, "equal", 0.4)],
        "unbalanced": [unbalanced(rng, 8, 9, 0.5, 1.0), unbalanced(rng, 7, 7, 0.3, 3.0)],
        "annealed": [
            blurred(rng, 9, 8, 0.05, 2, 0.5, None, "equal"),
            blurred(rng, 8, 10, 0.01, 2, 0.5, None, "own"),
            blurred(rng, 8, 8, 0.1, 1, 0.7, None, "own"),
            blurred(rng, 9, 8, 0.1, 2, 0.5, 1.0, "own")]}
    out = Path(__file__).parents[2] / "Tests/BasisNumericsTests/Fixtures/transport.json"
    out.write_text(json.dumps(rounded(result), separators=(",", ":")) + "\n")
    print(out, out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
