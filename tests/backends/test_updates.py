"""An optimizer's program as a function on whole arrays."""

from __future__ import annotations

import numpy as np
import pytest

from symnet.backends.updates import update_function, update_source
from symnet.networks.optimizers import OPTIMIZERS, SGD, Adam, Momentum, Optimizer, RMSprop

W, G = np.array([[1.0, -2.0, 3.0]]), np.array([[0.5, 0.25, -1.0]])


def run(rule: Optimizer, **values: object) -> tuple[np.ndarray, ...]:
    constants = {k: float(v) for k, v in rule.settings.items()}
    results = ("w_new", *[new for _, new in rule.states])
    return update_function(rule.program, results)(**constants, **values)


def test_sgd() -> None:
    (new,) = run(SGD("1/2"), w=W, g=G)
    assert np.array_equal(new, W - 0.5 * G)


def test_momentum() -> None:
    new, m = run(Momentum("1/2", "3/4"), w=W, g=G, m=4 * G)
    assert np.allclose(m, 3 * G + G)
    assert np.allclose(new, W - 0.5 * m)


def test_rmsprop() -> None:
    new, v = run(RMSprop("1/2", "3/4", "1/1000"), w=W, g=G, v=W**2)
    assert np.allclose(v, 0.75 * W**2 + 0.25 * G**2)
    assert np.allclose(new, W - 0.5 * G / (np.sqrt(v) + 1e-3))


def test_adam_at_its_first_step_moves_by_the_learning_rate() -> None:
    zero = np.zeros_like(W)
    new, m, v = run(Adam("1/8", eps="1e-12"), w=W, g=G, m=zero, v=zero, t=1.0)
    assert np.allclose(new, W - 0.125 * np.sign(G))
    assert np.allclose(m, 0.1 * G) and np.allclose(v, 0.001 * G**2)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("shape", [(), (3,), (2, 4), (2, 3, 2)], ids=str)
def test_an_update_keeps_the_shape(name: str, shape: tuple[int, ...]) -> None:
    rule = OPTIMIZERS[name]()
    rng = np.random.default_rng(0)
    states = {old: np.zeros(shape) for old, _ in rule.states}
    made = run(rule, w=rng.normal(size=shape), g=rng.normal(size=shape), **states, **({"t": 1.0} if rule.counts else {}))
    assert np.shape(made[0]) == shape and all(np.shape(a) in (shape, ()) for a in made)  # ASGD keeps its rate, one number


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_update_works_entry_by_entry(name: str) -> None:
    rule = OPTIMIZERS[name]()
    rng = np.random.default_rng(0)
    w, g = rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    more = {"t": 2.0} if rule.counts else {}
    states = {old: rng.uniform(size=(2, 3)) for old, _ in rule.states}
    whole = run(rule, w=w, g=g, **states, **more)[0]
    for at in np.ndindex(2, 3):
        one = run(rule, w=w[at], g=g[at], **{n: s[at] for n, s in states.items()}, **more)[0]
        assert whole[at] == pytest.approx(one, rel=1e-15)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_old_arrays_are_not_changed(name: str) -> None:
    rule = OPTIMIZERS[name]()
    states = {old: np.ones_like(W) for old, _ in rule.states}
    run(rule, w=(w := W.copy()), g=(g := G.copy()), **states, **({"t": 3.0} if rule.counts else {}))
    assert np.array_equal(w, W) and np.array_equal(g, G)
    assert all((s == 1).all() for s in states.values())


def test_the_source_has_no_loop_and_imports_numpy_alone() -> None:
    source = update_source(Adam().program, ("w_new", "m_new", "v_new"))
    assert "for " not in source
    assert [line for line in source.splitlines() if "import" in line] == ["import numpy as np"]
