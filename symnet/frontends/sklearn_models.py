"""scikit-learn's fitted MLPClassifier and MLPRegressor as programs. The model is read by its attributes; nothing is imported."""

from __future__ import annotations

from typing import Any

import sympy as sp

from symnet.core.axes import Axis
from symnet.core.expressions import as_written
from symnet.core.numbers import rational
from symnet.core.program import Program
from symnet.core.signatures import checked
from symnet.core.tensors import Role
from symnet.errors import OptionError, a_kind
from symnet.frontends.imported import Imported
from symnet.indexing.graph import unsupported
from symnet.networks.builder import Builder, over
from symnet.networks.layers import Layer, Linear, ReLU, Sigmoid, Size, Tanh, batch_axis
from symnet.networks.losses import BCELoss, CrossEntropyLoss, HalfSquaredError

ACTIVATIONS: dict[str, Layer | None] = {"identity": None, "logistic": Sigmoid(), "tanh": Tanh(), "relu": ReLU()}


@checked
def from_sklearn(model: Any, batch: Size = "N", title: str = "") -> Imported:
    """The objective that a fitted MLPClassifier or MLPRegressor minimises, and its weights.

    L = (data loss)/N + alpha/(2N) Σ W², over N samples. The data loss is Σ -Y log P with P the softmax for classes (Y is one-hot, so its
    rows add up to 1), Σ -(Y log A + (1 - Y) log(1 - A)) for two classes or several labels, and ½ Σ (A - Y)² for regression. Y has shape
    (N, outputs), the indicator matrix that scikit-learn makes of the labels. With several outputs scikit-learn *reports* the squared
    loss divided by their number but descends the one here, whose gradients its ``_backprop`` computes.

    Raises OptionError for a model that is not fitted, UnknownNodeError for an activation or a loss that is not read.
    Source: scikit-learn 1.9, sklearn/neural_network. Example::

        model = sn.from_sklearn(MLPRegressor((8,)).fit(X, y))
        loss, gradients = sn.derive(model).compile()(model.values, X, y.reshape(-1, 1))

    >>> import symnet as sn
    >>> import warnings
    >>> from sklearn.neural_network import MLPRegressor
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     fitted = MLPRegressor(hidden_layer_sizes=(2,), max_iter=1).fit([[0.0], [1.0]], [0.0, 1.0])
    >>> list(sn.from_sklearn(fitted).values)
    ['W1', 'b1', 'W2', 'b2']
    """
    if not hasattr(model, "coefs_"):
        raise OptionError("from_sklearn", f"{a_kind(model)} without coefs_", "a fitted MLPClassifier or MLPRegressor",
                          "model.fit(X, y)")
    with as_written():
        program = _program(model, batch, title)
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for k, (w, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True), start=1):
        values |= {f"W{k}": w, f"b{k}": b}
        sources |= {f"W{k}": f"coefs_[{k - 1}]", f"b{k}": f"intercepts_[{k - 1}]"}
    return Imported(program, values, sources)


def _program(model: Any, batch: Size, title: str) -> Program:
    to = Builder()
    to.now = to.add_input("X", (batch_axis(batch), Axis.of(int(model.coefs_[0].shape[0]))), Role.INPUT, "the input: one sample a row")
    for k, w in enumerate(model.coefs_, start=1):
        Linear(int(w.shape[0]), int(w.shape[1])).build(to)
        if k < len(model.coefs_):
            _activate(to, model.activation, f"hidden layer {k}")
    samples = to.now.axes[0].size
    value = _data_loss(to, model) / samples + _penalty(to, model.alpha) / samples
    to.line("L", (), (), value, "loss: the mean over the samples" + (" and the L2 penalty" if model.alpha else ""), Role.OBJECTIVE)
    return to.program(title)


def _activate(to: Builder, name: str, where: str) -> None:
    if name not in ACTIVATIONS:
        raise unsupported(f"the activation {name!r}", where, ", ".join(ACTIVATIONS))
    layer = ACTIVATIONS[name]
    if layer is not None:
        layer.build(to)


def _data_loss(to: Builder, model: Any) -> sp.Expr:
    """The loss summed over the samples; symnet's own losses take means, so their divisor is multiplied back."""
    last, loss = model.out_activation_, model.loss
    if loss == "log_loss" and last == "softmax":
        CrossEntropyLoss(normalized=True).build(to)
        return to.lines.pop().expr * to.inputs[-1].shape[0]
    _activate(to, last, "output layer")
    if loss == "log_loss" and last == "logistic":
        size = sp.Mul(*to.now.shape)
        BCELoss().build(to)
        return to.lines.pop().expr * size
    if loss == "squared_error" and last == "identity":
        HalfSquaredError().build(to)
        return to.lines.pop().expr
    raise unsupported(f"the loss {loss!r} after the activation {last!r}", "output layer",
                      "log_loss after softmax or logistic, or squared_error after identity")


def _penalty(to: Builder, alpha: Any) -> sp.Expr:
    """alpha/2 Σ W² over every weight; biases have none."""
    terms = []
    for w in [t for t in to.inputs if t.role is Role.PARAMETER and len(t.axes) == 2]:
        i, j = to.letters(w.axes)
        terms.append(over(over(w[i, j] ** 2, j, w.axes[1]), i, w.axes[0]))
    return rational(float(alpha)) / 2 * sp.Add(*terms)
