"""Losses, gradients and steps of scikit-learn's multilayer perceptron.

Writes Tests/BasisNumericsTests/Fixtures/perceptron.json: for each activation and loss a small network, a
batch, the loss and the slopes in all weights and biases, and the weights after six steps of each
optimiser over the same batches. The GELU, which scikit-learn lacks, is written out here in numpy. Run
from the repository's root:
    python3 Scripts/oracles/perceptron.py
Needs scikit-learn 1.9.1 and numpy 2.4.6.
"""

import json
import math
from pathlib import Path

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

assert sklearn.__version__ == "1.9.1", sklearn.__version__
assert np.__version__ == "2.4.6", np.__version__

SIZES = [5, 7, 4, 3]
ROWS, BATCH, STEPS = 24, 8, 6
DECAY = 0.03


def network(seed):
    rng = np.random.default_rng(seed)
    weights = [
        rng.normal(size=pair).astype(np.float32).astype(float) / 2
        for pair in zip(SIZES, SIZES[1:])
    ]
    biases = [rng.normal(size=size).astype(np.float32).astype(float) / 4 for size in SIZES[1:]]
    return weights, biases


def data(seed, loss):
    rng = np.random.default_rng(1000 + seed)
    x = rng.normal(size=(ROWS, SIZES[0])).astype(np.float32).astype(float)
    classes = rng.integers(0, SIZES[-1], ROWS)
    if loss == "softmaxCrossEntropy":
        y = np.eye(SIZES[-1])[classes]
    elif loss == "logistic":
        y = rng.integers(0, 2, (ROWS, SIZES[-1])).astype(float)
    else:
        y = rng.normal(size=(ROWS, SIZES[-1])).astype(np.float32).astype(float)
    return x, y


def peer(activation, loss, weights, biases):
    kind = MLPRegressor if loss == "squaredError" else MLPClassifier
    model = kind(
        hidden_layer_sizes=SIZES[1:-1], activation=activation, alpha=0.0, batch_size=BATCH
    )
    model.n_layers_ = len(SIZES)
    model.n_outputs_ = SIZES[-1]
    model.out_activation_ = {
        "softmaxCrossEntropy": "softmax", "logistic": "logistic", "squaredError": "identity"
    }[loss]
    model.loss = {
        "softmaxCrossEntropy": "log_loss", "logistic": "binary_log_loss",
        "squaredError": "squared_error",
    }[loss]
    model.coefs_ = [w.copy() for w in weights]
    model.intercepts_ = [b.copy() for b in biases]
    return model


def slopes(model, x, y):
    """The loss and its slopes, without weight decay, as scikit-learn propagates them back."""
    activations = [x] + [np.empty((len(x), size)) for size in SIZES[1:]]
    deltas = [np.empty_like(a) for a in activations[1:]]
    weights = [np.empty_like(w) for w in model.coefs_]
    biases = [np.empty_like(b) for b in model.intercepts_]
    loss, weights, biases = model._backprop(x, y, None, activations, deltas, weights, biases)
    if model.loss == "squared_error":
        # Its loss is a mean over outputs too; the slopes are of the sum.
        loss *= SIZES[-1]
    return float(loss), weights, biases


def train(model, x, y, optimizer):
    for step in range(STEPS):
        first = step % (ROWS // BATCH) * BATCH
        _, weights, biases = slopes(model, x[first : first + BATCH], y[first : first + BATCH])
        weights = [g + DECAY * w for g, w in zip(weights, model.coefs_)]
        optimizer.update_params(model.coefs_ + model.intercepts_, weights + biases)
    return flat(model.coefs_, model.intercepts_)


def flat(weights, biases):
    return [np.round(v.ravel(), 9).tolist() for pair in zip(weights, biases) for v in pair]


def gelu_forward(weights, biases, x):
    cumulative = np.vectorize(lambda v: 0.5 * math.erfc(-v / math.sqrt(2)))
    for place, (w, b) in enumerate(zip(weights, biases)):
        x = x @ w + b
        if place + 1 < len(weights):
            x = x * cumulative(x)
    return x


cases = []
for number, (activation, loss) in enumerate(
    [
        ("relu", "softmaxCrossEntropy"), ("tanh", "softmaxCrossEntropy"), ("tanh", "logistic"),
        ("relu", "squaredError"), ("identity", "squaredError"),
    ]
):
    weights, biases = network(number)
    x, y = data(number, loss)
    value, weight_slopes, bias_slopes = slopes(peer(activation, loss, weights, biases), x, y)
    descent = peer(activation, loss, weights, biases)
    adam = peer(activation, loss, weights, biases)
    cases.append(
        {
            "activation": activation, "loss": loss, "network": flat(weights, biases),
            "rows": np.round(x.ravel(), 9).tolist(), "targets": np.round(y.ravel(), 9).tolist(),
            "value": value, "slopes": flat(weight_slopes, bias_slopes),
            "afterDescent": train(
                descent, x, y,
                SGDOptimizer(
                    descent.coefs_ + descent.intercepts_, learning_rate_init=0.05, momentum=0.9,
                    nesterov=False)),
            "afterAdam": train(
                adam, x, y, AdamOptimizer(adam.coefs_ + adam.intercepts_, learning_rate_init=0.01)),
        }
    )

weights, biases = network(99)
x, _ = data(99, "squaredError")
fixture = {
    "source": "scikit-learn 1.9.1, numpy 2.4.6", "sizes": SIZES, "batch": BATCH, "steps": STEPS,
    "decay": DECAY, "tolerance": 2e-5, "cases": cases,
    "gelu": {
        "network": flat(weights, biases), "rows": np.round(x.ravel(), 9).tolist(),
        "outputs": np.round(gelu_forward(weights, biases, x).ravel(), 9).tolist(),
    },
}
path = Path("Tests/BasisNumericsTests/Fixtures/perceptron.json")
path.write_text(json.dumps(fixture, indent=None, separators=(",", ":")) + "\n")
print(path, path.stat().st_size, "bytes")
