"""Intervals, tests and bootstrap estimates, from scipy, statsmodels and mlxtend.

pip install scipy==1.17.1 numpy==2.4.6 statsmodels==0.15.0 mlxtend==0.25.0 scikit-learn==1.9.1, then:
python Scripts/oracles/model_evaluation.py
"""

import json
import warnings
from pathlib import Path

import mlxtend
import numpy as np
import scipy
import sklearn
import statsmodels
from mlxtend import evaluate
from scipy import stats
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier
from statsmodels.stats import contingency_tables, multitest, proportion

assert scipy.__version__ == "1.17.1", scipy.__version__
assert np.__version__ == "2.4.6", np.__version__
assert statsmodels.__version__ == "0.15.0", statsmodels.__version__
assert mlxtend.__version__ == "0.25.0", mlxtend.__version__
assert sklearn.__version__ == "1.9.1", sklearn.__version__
SEED = 111


def bits(row):
    return "".join(str(int(x)) for x in row)


def distributions():
    rows = []
    for df, x in [(1, 0.01), (1, 3.84), (1, 40.0), (2, 5.0), (9, 1.0), (9, 60.0), (250, 300.0)]:
        rows.append(["chi2", df, 0, x, stats.chi2.sf(x, df)])
    for a, b, x in [(10, 5, 4.735), (1, 1, 0.2), (3, 297, 2.6), (4, 4000, 9.0), (2, 18, 80.0)]:
        rows.append(["f", a, b, x, stats.f.sf(x, a, b)])
    for a, b, p in [(1, 30, 0.025), (28, 3, 0.025), (500, 12, 0.975), (0.5, 0.5, 0.3), (3000, 7000, 0.01)]:
        rows.append(["beta", a, b, p, stats.beta.ppf(p, a, b)])
    for n, p, k in [(30, 0.95, 28), (30, 0.95, 20), (24, 0.5, 3), (1000, 0.01, 25), (5, 0.3, 5)]:
        rows.append(["cdf", n, p, k, stats.binom.cdf(k, n, p)])
        rows.append(["sf", n, p, k, stats.binom.sf(k - 1, n, p)])
        rows.append(["pmf", n, p, k, stats.binom.pmf(k, n, p)])
    for k, q in [(2, 2.772), (3, 1.0), (5, 3.858), (10, 4.474), (10, 6.0)]:
        rows.append(["range", k, 0, q, stats.studentized_range.sf(q, k, np.inf)])
    for k, p in [(2, 0.05), (3, 0.1), (5, 0.05), (10, 0.01)]:
        rows.append(["critical", k, 0, p, stats.studentized_range.isf(p, k, np.inf)])
    return [[row[0]] + [float(x) for x in row[1:]] for row in rows]


def mcnemar():
    cases = []
    for b, c in [(0, 0), (1, 0), (5, 5), (2, 9), (20, 4), (12, 13), (30, 11), (200, 260)]:
        table = [[100, b], [c, 50]]
        case = {"b": b, "c": c}
        if b + c > 0:
            exact = contingency_tables.mcnemar(table, exact=True)
            case["exact"] = float(exact.pvalue)
            for name, correction in [("corrected", True), ("plain", False)]:
                found = contingency_tables.mcnemar(table, exact=False, correction=correction)
                case[name] = [float(found.statistic), float(found.pvalue)]
            case["midP"] = float(2 * (stats.binom.cdf(min(b, c), b + c, 0.5)
                                      - 0.5 * stats.binom.pmf(min(b, c), b + c, 0.5)))
        cases.append(case)
    return cases


def intervals():
    cases = []
    for hits, count in [(0, 10), (10, 10), (28, 30), (29, 30), (50, 100), (9_300, 10_000), (1, 2)]:
        for level in (0.95, 0.8):
            case = {"hits": hits, "count": count, "confidence": level}
            for ours, theirs in [("normal", "normal"), ("wilson", "wilson"), ("clopper-pearson", "beta")]:
                low, high = proportion.proportion_confint(hits, count, 1 - level, method=theirs)
                case[ours] = [float(np.clip(low, 0, 1)), float(np.clip(high, 0, 1))]
            cases.append(case)
    return cases


def proportions():
    cases = []
    for a, n, b, m in [(90, 100, 80, 100), (950, 1000, 470, 500), (3, 10, 9, 12)]:
        z, p = proportion.proportions_ztest([a, b], [n, m])
        cases.append([a, n, b, m, float(z), float(p)])
    return cases


def tables(rng):
    cases = []
    for models, rows in [(2, 40), (3, 60), (5, 150)]:
        easy = rng.random(rows)
        truth = np.zeros(rows, int)
        hits = np.array([(easy + 0.15 * m + 0.5 * rng.random(rows)) > 0.6 for m in range(models)])
        predictions = [np.where(h, 0, 1) for h in hits]
        q, p = evaluate.cochrans_q(truth, *predictions)
        other = contingency_tables.cochrans_q(hits.T.astype(int))
        assert abs(other.statistic - q) < 1e-9 and abs(other.pvalue - p) < 1e-12
        f, _ = evaluate.ftest(truth, *predictions)
        cases.append({
            "hits": [bits(h) for h in hits], "q": [float(q), float(p)],
            # The statistic is mlxtend's; its second degrees of freedom are (L - 1) n there.
            "f": [float(f), float(stats.f.sf(f, models - 1, (models - 1) * (rows - 1)))],
        })
    return cases


class Watched:
    """A scorer that keeps what it saw."""

    def __init__(self):
        self.scores = []

    def __call__(self, estimator, x, y):
        score = float((estimator.predict(x) == y).mean())
        self.scores.append(score)
        return score

    def differences(self):
        return [a - b for a, b in zip(self.scores[::2], self.scores[1::2])]


def learners():
    x, y = load_iris(return_X_y=True)
    x = x[:, :2]
    first, second = GaussianNB(), DecisionTreeClassifier(max_depth=3, random_state=0)
    cases = []
    for seed in (1, 2, 3):
        watched = Watched()
        t, tp = evaluate.paired_ttest_5x2cv(first, second, x, y, scoring=watched, random_seed=seed)
        again = Watched()
        f, fp = evaluate.combined_ftest_5x2cv(first, second, x, y, scoring=again, random_seed=seed)
        assert watched.scores == again.scores
        kept = Watched()
        r, rp = evaluate.paired_ttest_resampled(
            first, second, x, y, num_rounds=12, scoring=kept, random_seed=seed, test_size=0.3)
        folds = Watched()
        k, kp = evaluate.paired_ttest_kfold_cv(
            first, second, x, y, cv=10, scoring=folds, random_seed=seed, shuffle=True)
        d = np.array(kept.differences())
        nb = d.mean() / np.sqrt((1 / len(d) + 45 / 105) * d.var(ddof=1))
        cases.append({
            "halvings": watched.differences(), "t": [float(t), float(tp)], "f": [float(f), float(fp)],
            "resampled": d.tolist(), "r": [float(r), float(rp)],
            "corrected": [float(nb), float(2 * stats.t.sf(abs(nb), len(d) - 1))],
            "folds": folds.differences(), "k": [float(k), float(kp)],
        })
    return cases


def ranks(rng):
    wilcoxon = []
    for count, shift in [(6, 0.3), (12, 0.1), (25, 0.2), (40, 0.0)]:
        d = rng.normal(shift, 0.5, count)
        tied = np.round(d * 4) / 4
        exact = stats.wilcoxon(d, method="exact")
        normal = stats.wilcoxon(tied, zero_method="wilcox", correction=False, method="asymptotic")
        wilcoxon.append({
            "plain": d.tolist(), "exact": [float(exact.statistic), float(exact.pvalue)],
            "tied": tied.tolist(), "normal": [float(normal.statistic), float(normal.pvalue)],
        })
    friedman = []
    for sets, models in [(5, 3), (12, 4), (30, 6)]:
        scores = np.round(rng.random((sets, models)) * 0.3 + 0.02 * np.arange(models) + 0.6, 2)
        chi, p = stats.friedmanchisquare(*scores.T)
        means = np.mean([stats.rankdata(-row) for row in scores], axis=0)
        error = np.sqrt(models * (models + 1) / (6 * sets))
        cd = stats.studentized_range.isf(0.05, models, np.inf) / np.sqrt(2) * error
        pairs = [
            float(stats.studentized_range.sf(abs(means[i] - means[j]) / error * np.sqrt(2), models, np.inf))
            for i in range(models) for j in range(i + 1, models)]
        friedman.append({
            "scores": scores.tolist(), "chi": [float(chi), float(p)], "ranks": means.tolist(),
            "criticalDifference": float(cd), "pairs": pairs,
        })
    return wilcoxon, friedman


def adjustments(rng):
    p = np.concatenate([rng.random(6), rng.random(5) * 0.02, [0.02, 0.02]]).round(5)
    return {"p": p.tolist(), **{
        ours: multitest.multipletests(p, method=theirs)[1].tolist()
        for ours, theirs in [("bonferroni", "bonferroni"), ("holm", "holm"), ("bh", "fdr_bh")]}}


def bootstraps():
    x, y = load_iris(return_X_y=True)
    keep = np.r_[0:8, 50:66, 100:116]
    x, y = x[keep][:, :2], y[keep]
    model = LogisticRegression()
    splits = list(evaluate.BootstrapOutOfBag(n_splits=15, random_seed=5).split(x))
    answers = [bits(model.fit(x[train], y[train]).predict(x)) for train, _ in splits]
    scores = {
        ours: float(np.mean(evaluate.bootstrap_point632_score(
            model, x, y, n_splits=15, method=theirs, random_seed=5)))
        for ours, theirs in [("632", ".632"), ("632plus", ".632+"), ("oob", "oob")]}
    return {
        "labels": bits(y), "training": [[int(i) for i in train] for train, _ in splits],
        "answers": answers, "accuracy": scores,
    }


def kendall(rng):
    x = rng.integers(0, 6, 20).tolist()
    y = rng.integers(0, 6, 20).tolist()
    return {"x": x, "y": y, "tau": float(stats.kendalltau(x, y).statistic)}


def main():
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(SEED)
    wilcoxon, friedman = ranks(rng)
    fixture = {
        "source": "scipy.stats, statsmodels.stats, mlxtend.evaluate",
        "version": "scipy 1.17.1, statsmodels 0.15.0, mlxtend 0.25.0, scikit-learn 1.9.1",
        "seed": SEED,
        "tolerance": 1e-8,
        "distributions": distributions(),
        "mcnemar": mcnemar(),
        "intervals": intervals(),
        "proportions": proportions(),
        "tables": tables(rng),
        "learners": learners(),
        "wilcoxon": wilcoxon,
        "friedman": friedman,
        "adjustments": adjustments(rng),
        "bootstraps": bootstraps(),
        "kendall": kendall(rng),
    }
    root = Path(__file__).resolve().parents[2]
    path = root / "Tests/BasisEvaluationTests/Fixtures/model_evaluation.json"
    path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")


main()
