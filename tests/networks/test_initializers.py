"""Initializers: PyTorch's bounds and deviations, reproducible from a seed, and the variance formula held by samples and by a network."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp

import symnet as sn
from symnet.errors import SymnetError
from symnet.networks.initializers import (
    INITIALIZERS,
    UNIFORM,
    M,
    N,
    fans_of,
    initializer,
    kaiming_normal,
    kaiming_uniform,
    lecun_normal,
    lecun_uniform,
    xavier_normal,
    xavier_uniform,
)

Draw = Callable[..., np.ndarray]
SHAPE = (300, 200)  # inputs, outputs
# torch.nn.init: the bound of a uniform law, the standard deviation of a normal one
TORCH: dict[str, tuple[Draw, float]] = {
    "xavier_uniform": (xavier_uniform, math.sqrt(6 / 500)), "xavier_normal": (xavier_normal, math.sqrt(2 / 500)),
    "kaiming_uniform": (kaiming_uniform, math.sqrt(2) * math.sqrt(3 / 300)), "kaiming_normal": (kaiming_normal, math.sqrt(2) / math.sqrt(300)),
    "lecun_uniform": (lecun_uniform, math.sqrt(3 / 300)), "lecun_normal": (lecun_normal, 1 / math.sqrt(300)),
}
each = pytest.mark.parametrize("name", TORCH)


def test_every_initializer_has_a_row_and_is_public() -> None:
    assert set(TORCH) == set(INITIALIZERS) and all(getattr(sn, name) is draw for name, (draw, _) in TORCH.items())


@each
def test_the_spread_is_pytorchs(name: str) -> None:
    found = INITIALIZERS[name].spread.subs({N: 300, M: 200})
    assert float(found) == pytest.approx(TORCH[name][1], rel=1e-14)


@each
def test_samples_have_the_law_that_is_claimed(name: str) -> None:
    draw, spread = TORCH[name]
    made = draw(SHAPE, seed=1)
    claimed = float(INITIALIZERS[name].variance.subs({N: 300, M: 200}))
    assert made.shape == SHAPE and abs(made.mean()) < 4 * math.sqrt(claimed / made.size)
    assert made.var() == pytest.approx(claimed, rel=0.02)  # 60,000 samples: the error of a variance is about 0.6 %
    if INITIALIZERS[name].law == UNIFORM:
        assert np.abs(made).max() <= spread and np.abs(made).max() > 0.999 * spread
    else:
        assert np.abs(made).max() > 3 * spread and abs((made**4).mean() / claimed**2 - 3) < 0.15


@each
def test_a_seed_gives_the_same_array_and_another_seed_another(name: str) -> None:
    draw, _ = TORCH[name]
    assert np.array_equal(draw((4, 3), seed=5), draw((4, 3), seed=5)) and not np.array_equal(draw((4, 3), seed=5), draw((4, 3), seed=6))
    assert np.array_equal(draw((4, 3), seed=np.random.default_rng(5)), draw((4, 3), seed=5))


def test_the_variance_of_a_uniform_law_is_a_third_of_its_bound_squared() -> None:
    a, w = sp.symbols("a w", positive=True)
    moment = sp.integrate(w**2 / (2 * a), (w, -a, a))  # the density is 1/(2a), the mean 0
    for method in INITIALIZERS.values():
        if method.law == UNIFORM:
            assert sp.expand(moment.subs(a, method.spread) - method.variance) == 0


# n Var(w), m Var(w): by how much a layer changes the variance on the way forward and back (Glorot & Bengio 2010, eq. 5-6)
WISHES = {"lecun": (sp.S.One, M / N), "kaiming": (sp.Integer(2), 2 * M / N), "xavier": (2 * N / (N + M), 2 * M / (N + M))}


@each
def test_what_a_layer_does_to_the_variance(name: str) -> None:
    method, (forward, backward) = INITIALIZERS[name], WISHES[name.split("_")[0]]
    assert sp.cancel(method.forward - forward) == 0 and sp.cancel(method.backward - backward) == 0
    assert method.forward.subs({M: N}) in (1, 2) and (method.name.startswith("kaiming") or method.backward.subs({M: N}) == 1)


@pytest.mark.parametrize("name", ["lecun_normal", "lecun_uniform", "xavier_normal"])
def test_a_linear_layer_multiplies_the_variance_as_the_formula_says(name: str) -> None:
    rng = np.random.default_rng(3)
    n, m = 400, 300
    x = rng.uniform(-1, 1, (500, n))
    z = x @ INITIALIZERS[name].draw((n, m), rng)
    assert z.var() / x.var() == pytest.approx(float(INITIALIZERS[name].forward.subs({N: n, M: m})), rel=0.03)


def test_he_keeps_the_signal_through_twenty_relus_and_xavier_loses_it() -> None:
    ends = {}
    for name in ("kaiming_normal", "xavier_normal"):
        rng = np.random.default_rng(4)
        z = rng.normal(size=(200, 300))
        for _ in range(20):
            z = np.maximum(z, 0) @ INITIALIZERS[name].draw((300, 300), rng)
        ends[name] = z.var()
    assert 0.3 < ends["kaiming_normal"] < 3 and ends["xavier_normal"] < 1e-5  # half of it a layer: 2^-20


def test_gain_slope_and_mode_as_in_pytorch() -> None:
    assert np.allclose(xavier_uniform((4, 3), "5/3", seed=1), 5 / 3 * xavier_uniform((4, 3), seed=1), rtol=1e-15)
    assert np.allclose(kaiming_normal((4, 3), "1/2", seed=1), kaiming_normal((4, 3), seed=1) / math.sqrt(1.25), rtol=1e-15)
    assert np.allclose(kaiming_uniform((4, 3), 0, "fan_out", seed=1) * math.sqrt(3), kaiming_uniform((4, 3), seed=1) * 2, rtol=1e-15)
    slope = kaiming_uniform((300, 200), a=math.sqrt(5), seed=1)  # PyTorch's default of Linear: uniform on ±1/√n
    assert np.abs(slope).max() == pytest.approx(1 / math.sqrt(300), rel=1e-3)


SHAPES = [(4, 3), (6, 4, 3), (8, 4, 3, 3), (5, 1, 2, 3, 2)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_fans_are_pytorchs(shape: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    own = shape[::-1] if len(shape) == 2 else shape  # a weight matrix is the transpose of PyTorch's
    assert fans_of(shape) == torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(own))


LAWS = ["xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal"]
CALLS: list[tuple[tuple[object, ...], dict[str, object]]] = [((), {}), ((2,), {}), ((), {"gain": 0.5}), ((0.3,), {}), ((), {"a": 5**0.5}), ((0,), {"mode": "fan_out"}),
                                                             ((0,), {"mode": "fan_in", "nonlinearity": "relu"}), ((), {"mode": "fan_out", "nonlinearity": "tanh"}),
                                                             ((0.2, "fan_in", "leaky_relu"), {}), ((), {"nonlinearity": "selu"})]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("args", "keywords"), CALLS, ids=str)
@pytest.mark.parametrize("name", LAWS)
def test_every_call_gives_the_spread_of_pytorch(name: str, args: tuple[object, ...], keywords: dict[str, object], shape: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    init, own = getattr(torch.nn.init, name + "_"), (shape[::-1] if len(shape) == 2 else shape)
    drawn: dict[str, float] = {}
    kept = torch.nn.init._no_grad_uniform_, torch.nn.init._no_grad_normal_
    torch.nn.init._no_grad_uniform_ = lambda t, a, b, *_, **__: drawn.update(spread=b) or t
    torch.nn.init._no_grad_normal_ = lambda t, m, s, *_, **__: drawn.update(spread=s) or t
    original = torch.Tensor.uniform_, torch.Tensor.normal_
    torch.Tensor.uniform_ = lambda t, a, b, **_: drawn.update(spread=b) or t
    torch.Tensor.normal_ = lambda t, m, s, **_: drawn.update(spread=s) or t
    try:
        try:
            init(torch.empty(own), *args, **keywords)
            takes = True
        except (TypeError, ValueError):
            takes = False
    finally:
        torch.nn.init._no_grad_uniform_, torch.nn.init._no_grad_normal_ = kept
        torch.Tensor.uniform_, torch.Tensor.normal_ = original
    if not takes:
        with pytest.raises(SymnetError):
            getattr(sn, name)(shape, *args, **keywords)
        return
    unit = np.random.default_rng(3).uniform(-1, 1, shape) if name.endswith("uniform") else np.random.default_rng(3).normal(0, 1, shape)
    assert np.allclose(getattr(sn, name)(shape, *args, **keywords, seed=3), drawn["spread"] * unit, rtol=1e-12)


class Recorded(np.random.Generator):
    """A generator that keeps what laws it is asked for."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(5))
        self.laws: list[tuple[str, float, float]] = []

    def uniform(self, low: float = 0.0, high: float = 1.0, size: Any = None) -> Any:
        self.laws.append(("uniform", low, high))
        return super().uniform(low, high, size)

    def normal(self, loc: float = 0.0, scale: float = 1.0, size: Any = None) -> Any:
        self.laws.append(("normal", loc, scale))
        return super().normal(loc, scale, size)


ROWS: list[tuple[str, tuple[object, ...]]] = [
    ("uniform", ()), ("uniform", (-0.25, 0.75)), ("normal", ()), ("normal", (0.5, 0.125)), ("sparse", (0.25,)), ("sparse", (0.3, 0.5)),
    ("xavier_uniform", (0.5,)), ("xavier_normal", ()), ("kaiming_uniform", (0, "fan_out")), ("kaiming_normal", ()), ("orthogonal", (2.0,))]


@pytest.mark.parametrize(("name", "args"), ROWS, ids=str)
def test_the_laws_drawn_from_are_pytorchs(name: str, args: tuple[object, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    theirs: list[tuple[str, float, float]] = []
    for law in ("uniform", "normal"):
        draw = getattr(torch.Tensor, f"{law}_")
        monkeypatch.setattr(torch.Tensor, f"{law}_", lambda t, a=0.0, b=1.0, law=law, draw=draw, **_: theirs.append((law, a, b)) or draw(t, a, b))
    made = getattr(torch.nn.init, f"{name}_")(torch.empty((5, 8)), *args)
    rng = Recorded()
    found = getattr(sn, name)((8, 5), *args, seed=rng)
    assert [x[0] for x in rng.laws] == [x[0] for x in theirs] and len(theirs) == 1
    np.testing.assert_allclose([x[1:] for x in rng.laws], [x[1:] for x in theirs], rtol=1e-12)
    zeros = (made.numpy().T == 0).sum(axis=1)
    assert found.shape == (8, 5) and (found == 0).sum(axis=1).tolist() == zeros.tolist()
    if name == "orthogonal":
        assert np.allclose(found.T @ found, (made @ made.T).numpy(), atol=1e-5)


@pytest.mark.parametrize(("name", "shape", "args"), [
    ("constant", (2, 3), (0.3,)), ("ones", (4,), ()), ("zeros", (2, 1, 3), ()), ("eye", (3, 5), ()), ("dirac", (4, 2, 3), ()), ("dirac", (6, 4, 2, 3), (2,)),
    ("dirac", (2, 3, 2, 3, 4), ()), ("dirac", (3, 2, 5), (3,))], ids=str)
def test_what_is_not_drawn_is_pytorchs(name: str, shape: tuple[int, ...], args: tuple[object, ...]) -> None:
    torch = pytest.importorskip("torch")
    wanted = getattr(torch.nn.init, f"{name}_")(torch.empty(shape, dtype=torch.float64), *args)
    assert np.array_equal(getattr(sn, name)(shape, *args), wanted.numpy())


@pytest.mark.parametrize(("mean", "std", "a", "b"), [(0, 1, -2, 2), (0.5, 0.25, 0.25, 1.5), (0, 0.02, -2, 2), (-1, 2, 0, 1)])
def test_truncated_normal_numbers_have_pytorchs_law(mean: float, std: float, a: float, b: float) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    theirs = torch.nn.init.trunc_normal_(torch.empty(2000, dtype=torch.float64), mean, std, a, b).numpy()

    def phi(x: float) -> float:
        return (1 + math.erf((x - mean) / (std * math.sqrt(2)))) / 2

    for found in (np.sort(sn.trunc_normal((2000,), mean, std, a, b, seed=3)), np.sort(theirs)):
        law = np.array([(phi(x) - phi(a)) / (phi(b) - phi(a)) for x in found])
        assert np.abs(law - np.arange(1, 2001) / 2000).max() < 1.95 / math.sqrt(2000)  # Kolmogorov: passed with probability 0.999
        assert found[0] >= a and found[-1] <= b


@pytest.mark.parametrize("name", ["linear", "conv1d", "conv2d", "conv3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"])
@pytest.mark.parametrize("param", [None, 0.3])
def test_gains_are_pytorchs(name: str, param: float | None) -> None:
    torch = pytest.importorskip("torch")
    assert sn.calculate_gain(name, param) == pytest.approx(torch.nn.init.calculate_gain(name, param), rel=1e-15)


@pytest.mark.parametrize("shape", [(), (4,)])
def test_fewer_axes_than_two_have_no_fans(shape: tuple[int, ...]) -> None:
    for name in LAWS:
        with pytest.raises(SymnetError, match="two axes"):
            getattr(sn, name)(shape)


@pytest.mark.parametrize(("name", "found"), [("glorot_normal", "xavier_normal"), ("he_normal", "kaiming_normal"), ("he", "kaiming_uniform"),
                                             ("Xavier", "xavier_uniform"), ("LECUN_UNIFORM", "lecun_uniform")])
def test_other_names(name: str, found: str) -> None:
    assert initializer(name).name == found and initializer(initializer(name)) is INITIALIZERS[found]


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "unknown": (lambda: initializer("xaviar"), "did you mean 'xavier"), "hostile": (lambda: initializer("<script>\n" * 900), "one of xavier_uniform"),
    "nothing": (lambda: initializer(None), "one of xavier_uniform"), "mode": (lambda: kaiming_uniform((2, 2), mode="fan_on"), "did you mean 'fan_"),
    "gain": (lambda: xavier_uniform((2, 2), gain="big"), "'big'"),
    "bounds": (lambda: sn.uniform((2,), 1, 0), "not above"), "a deviation": (lambda: sn.normal((2,), 0, -1), "not negative"),
    "eye of a vector": (lambda: sn.eye((3,)), "2 axes"), "dirac of a matrix": (lambda: sn.dirac((3, 3)), "3 or 4 or 5 axes"),
    "groups": (lambda: sn.dirac((3, 3, 3), 2), "divides 3"), "sparsity": (lambda: sn.sparse((3, 3), 2), "from 0 to 1"),
    "a negative size": (lambda: sn.zeros((-1,)), "at least 0"), "a value that is none": (lambda: sn.constant((2,), "big"), "'big'"),
}


@pytest.mark.parametrize("make, words", REFUSED.values(), ids=REFUSED)
def test_what_is_no_initializer_is_refused_in_one_line(make: Callable[[], object], words: str) -> None:
    with pytest.raises(SymnetError) as caught:
        make()
    assert words in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 700
