"""Where a run stops being numbers: the line, its place and the step are named, and what was reached before is not lost."""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from symnet.errors import DivergedError, DomainError

X, Y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
LINE = sn.Sequential(sn.Linear(2, 1))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("batch_size", [None, 2])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_partial_result_is_that_of_the_step_before(batch_size: int | None, dtype: str) -> None:
    call = {"loss": "mse", "lr": 100, "batch_size": batch_size, "dtype": dtype}
    with pytest.raises(DivergedError) as caught:
        sn.fit(LINE, 10 * X, Y, epochs=500, **call)
    partial, error = caught.value.partial, caught.value
    assert isinstance(error, DomainError) and "\n" not in str(error)
    epochs = partial.log.epochs
    assert f"epoch {epochs + 1}, step" in str(error) or f"epoch {epochs + 2}, step" in str(error)
    assert all(np.isfinite(v).all() for v in partial.params.values()) and np.isfinite(partial.losses).all()
    again = sn.fit(LINE, 10 * X, Y, epochs=epochs, **call)
    assert again.losses == partial.losses


def test_the_first_line_that_is_no_number_is_named_with_its_place() -> None:
    made = sn.program("z[n] = w*x[n]", "e[n] = exp(z[n])", "L = sum(e)", tensors={"x": ("N",), "w": ()}, objective="L")
    derivation = sn.derive(made, wrt="w")
    with pytest.raises(DivergedError, match=r"fit, epoch 1, step 1: e\[2\] is inf in e\[n\] = exp\(z\[n\]\)"):
        sn.fit(derivation, [1.0, 2.0, 1000.0], params={"w": 1.0})


def test_a_gradient_that_is_no_number_though_the_loss_is_one() -> None:
    derivation = sn.derive(sn.program("L = sqrt(w*x)"), wrt="w")
    with pytest.raises(DivergedError, match=r"step 1: (dL_dw|s\d+) is inf"):
        sn.fit(derivation, 2.0, params={"w": 0.0})


def test_a_run_that_has_no_loss_at_all_has_a_partial_result_too() -> None:
    derivation = sn.derive(sn.program("L = log(w*x)"), wrt="w")
    with pytest.raises(DivergedError, match="epoch 1, step 1: ") as caught:
        sn.fit(derivation, 2.0, params={"w": 0.0})
    partial = caught.value.partial
    assert partial.log.epochs == 0 and partial.losses == () and "no loss" in repr(partial) and "no loss" in partial._repr_html_()


def test_an_update_that_is_too_large_leaves_the_parameters_before_it() -> None:
    derivation = sn.derive(sn.program("L = w*x"), wrt="w")
    with pytest.raises(DivergedError, match=r"epoch 1, step 1: the update made w -inf") as caught:
        sn.fit(derivation, 1e200, params={"w": 3.0}, lr=10**150)
    assert float(caught.value.partial.params["w"]) == 3.0
