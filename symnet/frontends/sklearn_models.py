"""scikit-learn's fitted models as programs: networks, linear models, and pipelines of scalers before them. A model is read by its
attributes; nothing is imported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from symnet.core.axes import Axis
from symnet.core.expressions import as_written
from symnet.core.functions import absolute, relu, softplus
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
    """The objective that a fitted model minimises, and its weights: networks, linear models, and pipelines that end in one.

    A network, MLPClassifier or MLPRegressor, has L = (data loss)/N + alpha/(2N) Σ W², over N samples. The data loss is Σ -Y log P with P
    the softmax for classes (Y is one-hot, so its rows add up to 1), Σ -(Y log A + (1 - Y) log(1 - A)) for two classes or several labels,
    and ½ Σ (A - Y)² for regression. Y has shape (N, outputs), the indicator matrix that scikit-learn makes of the labels. With several
    outputs scikit-learn *reports* the squared loss divided by their number but descends the one here, whose gradients its ``_backprop``
    computes.

    A linear model, Z = X W1 + b1, has the objective of scikit-learn's documentation, with W1 the transposed ``coef_`` and b1 the
    ``intercept_``: LinearRegression, Ridge, RidgeClassifier, Lasso, ElasticNet, LogisticRegression, LinearSVC, LinearSVR, SGDClassifier,
    SGDRegressor, PoissonRegressor, GammaRegressor. Targets of hinge losses and of RidgeClassifier are -1 and 1, of log losses 0 and 1.

    In a Pipeline the scalers before it (StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler, Normalizer, PCA) are lines, and what
    they learned are constants.

    Raises OptionError for a model that is not fitted, UnknownNodeError for a model, an activation or a loss that is not read.
    Source: scikit-learn 1.9, sklearn/neural_network and user guide §1.1, §1.4, §1.5. Example::

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
    *before, last = [part for _, part in model.steps] if type(model).__name__ == "Pipeline" else [model]
    network = hasattr(last, "coefs_")
    if not network and type(last).__name__ not in LINEAR:
        if hasattr(last, "hidden_layer_sizes"):
            raise OptionError("from_sklearn", f"{a_kind(last)} without coefs_", "a fitted model", "model.fit(X, y)")
        raise unsupported(f"the model {type(last).__name__}", "from_sklearn", "a network or a linear model: " + ", ".join(
            ["MLPClassifier", "MLPRegressor", *LINEAR]))
    if not network and not hasattr(last, "coef_"):
        raise OptionError("from_sklearn", f"{a_kind(last)} without coef_", "a fitted model", "model.fit(X, y)")
    with as_written():
        to = Builder()
        kept = [part for part in before if part not in (None, "passthrough")]
        first = [last.coefs_[0].shape[0] if network else np.atleast_2d(last.coef_).shape[1]]
        columns = int(getattr(kept[0], "n_features_in_", first[0]) if kept else first[0])
        to.now = to.add_input("X", (batch_axis(batch), Axis.of(columns)), Role.INPUT, "the input: one sample a row")
        values = {name: v for part in kept for name, v in _scale(to, part).items()}
        sources = dict.fromkeys(values, "")
        if network:
            program = _network(to, last, title)
            for k, (w, b) in enumerate(zip(last.coefs_, last.intercepts_, strict=True), start=1):
                values |= {f"W{k}": w, f"b{k}": b}
                sources |= {f"W{k}": f"coefs_[{k - 1}]", f"b{k}": f"intercepts_[{k - 1}]"}
        else:
            program = _linear(to, last, title)
            weights = np.atleast_2d(np.asarray(last.coef_, dtype=float)).T
            values["W1"], sources["W1"] = weights, "coef_"
            if any(t.name == "b1" for t in program.inputs):
                values["b1"] = np.broadcast_to(np.atleast_1d(np.asarray(last.intercept_, dtype=float)), weights.shape[1:]).copy()
                sources["b1"] = "intercept_"
    return Imported(program, values, sources)


def _scale(to: Builder, part: Any) -> dict[str, Any]:
    """The line of one scaler, and the numbers that it learned."""
    kind, x, (n, j) = type(part).__name__, to.now, to.letters(to.now.axes)
    learned: dict[str, Any] = {}

    def known(name: str, attribute: str, default: float) -> Any:
        value = getattr(part, attribute, None)
        if value is None:
            return sp.Integer(int(default))
        tensor = to.add_input(to.free(name), x.axes[1:], Role.CONSTANT, f"learned by {kind}: {attribute}")
        learned[tensor.name] = np.asarray(value, dtype=float)
        return tensor[j]
    if kind in ("StandardScaler", "RobustScaler"):
        centre, size = ("mean_", "scale_") if kind == "StandardScaler" else ("center_", "scale_")
        value = (x[n, j] - known("m", centre, 0)) / known("s", size, 1)
    elif kind == "MinMaxScaler":
        if part.clip:
            raise unsupported("MinMaxScaler with clip=True", "from_sklearn", "clip=False")
        value = x[n, j] * known("s", "scale_", 1) + known("m", "min_", 0)
    elif kind == "MaxAbsScaler":
        value = x[n, j] / known("s", "scale_", 1)
    elif kind == "Normalizer" and part.norm == "l2":
        other = to.letters((*x.axes, x.axes[1]))[2]
        value = x[n, j] / sp.sqrt(over(x[n, other] ** 2, other, x.axes[1]))
    elif kind == "PCA":
        components = np.asarray(part.components_, dtype=float)
        if part.whiten:
            components = components / np.sqrt(part.explained_variance_)[:, None]
        value, axis = x[n, j] - known("m", "mean_", 0), Axis.of(int(components.shape[0]))
        turned = to.add_input(to.free("C"), (axis, x.axes[1]), Role.CONSTANT, "learned by PCA: components_")
        learned[turned.name] = components
        k = to.letters((*x.axes, axis))[2]
        to.line(to.free("Z"), (x.axes[0], axis), (n, k), over(value * turned[k, j], j, x.axes[1]), "the principal components")
        return learned
    else:
        raise unsupported(f"the step {kind}", "from_sklearn", "StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler, Normalizer, PCA")
    to.line(to.free("Z"), x.axes, (n, j), value, f"the input as {kind} changes it")
    return learned


def _linear(to: Builder, model: Any, title: str) -> Program:
    """Z = X W1 + b1, its loss over the samples, and the penalty of W1."""
    if getattr(model, "class_weight", None) is not None:
        raise unsupported("class_weight", "from_sklearn", "class_weight=None")
    objective = LINEAR[type(model).__name__](model)
    outputs = int(np.atleast_2d(model.coef_).shape[0])
    Linear(int(np.atleast_2d(model.coef_).shape[1]), outputs, bias=bool(getattr(model, "fit_intercept", True))).build(to)
    samples = to.now.axes[0].size
    if objective.each is None:
        CrossEntropyLoss(normalized=True).build(to)
        value = to.lines.pop().expr * samples
    else:
        z = to.now
        y = to.add_input(to.free("Y"), z.axes, Role.TARGET, objective.target)
        n, k = to.letters(z.axes)
        value = over(over(objective.each(z[n, k], y[n, k]), k, z.axes[1]), n, z.axes[0])
    value = objective.factor * value / (samples if objective.mean else 1)
    weights = next(t for t in to.inputs if t.name == "W1")
    i, j = to.letters(weights.axes)
    for factor, each in ((objective.squares, weights[i, j] ** 2), (objective.sizes, absolute(weights[i, j]))):
        if factor != 0:
            value = value + factor * over(over(each, j, weights.axes[1]), i, weights.axes[0])
    to.line("L", (), (), value, "the objective of " + type(model).__name__, Role.OBJECTIVE)
    return to.program(title)


Each = Callable[[sp.Expr, sp.Expr], sp.Expr]


@dataclass(frozen=True)
class Objective:
    """factor Σ each(z, y), over N where it is a ``mean``, + squares Σ W² + sizes Σ |W|; no ``each`` is the cross-entropy of shares."""

    each: Each | None
    factor: sp.Expr = sp.S.One
    mean: bool = False
    squares: sp.Expr = sp.S.Zero
    sizes: sp.Expr = sp.S.Zero
    target: str = "the target"


def _squared(z: sp.Expr, y: sp.Expr) -> sp.Expr:
    return (z - y) ** 2


def _exact(value: Any) -> sp.Expr:
    return rational(float(value))


def _ridge(model: Any) -> Objective:
    if np.ndim(model.alpha) and np.size(model.alpha) > 1:
        raise unsupported("one alpha for each output", "from_sklearn", "one number")
    return Objective(_squared, squares=_exact(np.ravel(model.alpha)[0]))


def _elastic(model: Any) -> Objective:
    alpha, share = _exact(model.alpha), _exact(getattr(model, "l1_ratio", 1) if type(model).__name__ == "ElasticNet" else 1)
    return Objective(_squared, sp.S.Half, True, alpha * (1 - share) / 2, alpha * share)


def _logistic(model: Any) -> Objective:
    if model.solver == "liblinear" and model.fit_intercept:
        raise unsupported("the solver liblinear with an intercept, which it penalizes", "from_sklearn", "another solver")
    named = {"l2": 0, "l1": 1, None: None, "none": None}
    share = named.get(getattr(model, "penalty", "l2"), getattr(model, "l1_ratio", 0))
    share = (getattr(model, "l1_ratio", 0) or 0) if getattr(model, "penalty", "") in ("deprecated", "elasticnet") else share
    free = share is None or not np.isfinite(model.C)
    size, share = (_exact(1 if free else model.C), _exact(0 if free else share))
    each = None if len(model.classes_) > 2 else (lambda z, y: softplus(z) - y * z)
    return Objective(each, size, False, sp.S.Zero if free else (1 - share) / 2, share, "the target: 0 or 1")


def _hinge(z: sp.Expr, y: sp.Expr) -> sp.Expr:
    return relu(1 - y * z)


def _tube(epsilon: Any) -> Each:
    """How far z lies outside the tube of width epsilon around y."""
    return lambda z, y: relu(absolute(z - y) - _exact(epsilon))


def _vectors(model: Any) -> Objective:
    """LinearSVC and LinearSVR, whose intercept is penalized like a weight."""
    if model.fit_intercept:
        raise unsupported(f"{type(model).__name__} with an intercept, which liblinear penalizes", "from_sklearn", "fit_intercept=False")
    if getattr(model, "penalty", "l2") != "l2" or getattr(model, "multi_class", "ovr") != "ovr":
        raise unsupported(f"{type(model).__name__} with another penalty or multi_class", "from_sklearn", "penalty='l2', multi_class='ovr'")
    plain = _hinge if type(model).__name__ == "LinearSVC" else _tube(model.epsilon)
    each = (lambda z, y: plain(z, y) ** 2) if str(model.loss).startswith("squared") else plain
    return Objective(each, _exact(model.C), squares=sp.S.Half, target="the target: -1 or 1" if plain is _hinge else "the target")


def _descent(model: Any) -> Objective:
    """SGDClassifier and SGDRegressor: a mean of losses, and alpha times a penalty."""
    eachs: dict[str, Each] = {
        "hinge": _hinge, "squared_hinge": lambda z, y: _hinge(z, y) ** 2, "perceptron": lambda z, y: relu(-y * z),
        "log_loss": lambda z, y: softplus(-y * z), "squared_error": lambda z, y: _squared(z, y) / 2,
        "epsilon_insensitive": _tube(model.epsilon), "squared_epsilon_insensitive": lambda z, y: _tube(model.epsilon)(z, y) ** 2}
    if model.loss not in eachs:
        raise unsupported(f"the loss {model.loss!r}", "from_sklearn", ", ".join(eachs))
    share = {"l2": 0, "l1": 1, None: 0}.get(model.penalty, model.l1_ratio)
    alpha, share = (_exact(0 if model.penalty is None else model.alpha), _exact(share))
    return Objective(eachs[model.loss], mean=True, squares=alpha * (1 - share) / 2, sizes=alpha * share,
                     target="the target: -1 or 1, or a number")


def _deviance(each: Each) -> Callable[[Any], Objective]:
    return lambda model: Objective(each, mean=True, squares=_exact(model.alpha) / 2, target="the target, of which the mean is exp(Z)")


LINEAR: dict[str, Callable[[Any], Objective]] = {
    "LinearRegression": lambda model: Objective(_squared), "Ridge": _ridge, "RidgeClassifier": _ridge, "Lasso": _elastic,
    "ElasticNet": _elastic, "LogisticRegression": _logistic, "LinearSVC": _vectors, "LinearSVR": _vectors, "SGDClassifier": _descent,
    "SGDRegressor": _descent, "PoissonRegressor": _deviance(lambda z, y: sp.exp(z) - y * z),
    "GammaRegressor": _deviance(lambda z, y: z + y * sp.exp(-z)),
}


def _network(to: Builder, model: Any, title: str) -> Program:
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
