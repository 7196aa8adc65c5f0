"""What a newcomer hands to the package by mistake: a class for an object, an expression for text, a broken file. One clear line each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp

import symnet as sn
from symnet.errors import SymnetError

x = sp.Symbol("x", real=True)
LINE = "L = (w*x - y)**2"


def net() -> Any:
    return sn.Sequential(sn.Linear(1, 1), sn.Sigmoid())


def derived() -> Any:
    return sn.derive(sn.program(LINE), wrt=["w"])


MISUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "a program of an expression": (lambda: sn.program(x**2, LINE), "an expression without a name"),
    "a line that is a number": (lambda: sn.program(LINE, 3), "an int; expected lines such as"),
    "an objective that is a number": (lambda: sn.program(LINE, objective=3), "an int; expected lines such as"),
    "a loss by a wrong name": (lambda: sn.derive(net(), loss="MSELos"), "did you mean 'MSELoss'?"),
    "a layer for a loss": (lambda: sn.derive(net(), loss=sn.Linear), "the class Linear; expected a loss"),
    "a number for a loss": (lambda: sn.derive(net(), loss=3), "loss: 3; expected a loss"),
    "a number for names": (lambda: sn.derive(sn.program(LINE), wrt=3), "wrt: 3; expected text, "),
    "a network to check": (lambda: sn.check("x", net(), "w"), "a Sequential; expected a Derivation"),
    "nothing to check": (lambda: sn.check(None, derived(), "w"), "answer: None; expected text"),
    "a network to report": (lambda: sn.report(net()), "a Sequential; expected a Derivation"),
    "text for a second derivative": (lambda: sn.hessian(LINE, "w"), "a str; expected a Derivation or a Program"),
    "text for a Jacobian": (lambda: sn.jacobian(LINE, "w"), "a str; expected a Program"),
    "a claim that is a number": (lambda: sn.prove(3), "3; expected text"),
    "nothing to compare": (lambda: sn.compare("x", None), "right: None; expected text"),
    "nothing to diagnose": (lambda: sn.diagnose(None, derived(), "w"), "answer: None; expected text"),
    "a page that is a path": (lambda: sn.check_page(Path("page.md")), "page: a PosixPath; expected text"),
    "no worksheet": (lambda: sn.load(Path("/dev/zero")), "/dev/zero: no plain file"),
}


@pytest.mark.parametrize(("use", "said"), MISUSED.values(), ids=MISUSED)
def test_a_misuse_is_one_clear_line(use: Callable[[], Any], said: str) -> None:
    with pytest.raises(SymnetError) as caught:
        use()
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_the_class_of_a_loss_stands_for_the_loss_where_it_needs_nothing() -> None:
    assert str(sn.derive(net(), loss=sn.MSELoss).full) == str(sn.derive(net(), loss=sn.MSELoss()).full)


def test_the_hessian_of_a_program_is_that_of_its_derivation() -> None:
    p = sn.program("L = exp(x*y) + x**3")
    assert str(sn.hessian(p, "x").full) == str(sn.hessian(sn.derive(p, wrt="x"), "x").full)
    p = sn.program("L = x**2*y")
    assert sn.hessian_vector_product(p, "x").at({"x": "3", "y": "5", "v": "2"}).exact("dq_dx") == 20


@pytest.mark.parametrize("shape", ["tril", "triu"])
def test_a_triangle_of_truths_is_a_condition_on_places(shape: str) -> None:
    jax = pytest.importorskip("jax")
    jnp = jax.numpy

    def squares(z: Any) -> Any:
        return jnp.sum(jnp.where(getattr(jnp, shape)(jnp.ones((3, 3), bool)), z, 0) ** 2)

    value = np.linspace(-1, 2, 9).reshape(3, 3)
    for function in (squares,):
        read = sn.from_jax(function, [value])
        d = sn.derive(read)
        assert str(read) and sn.report(d).as_format("text")
        ours = next(iter(d.compile()({read.inputs[0].name: value})[1].values()))
        assert np.allclose(ours, jax.grad(function)(value.astype("float32")), atol=1e-5)


def test_a_file_that_holds_no_whole_onnx_model_is_one_line(tmp_path: Path) -> None:
    torch, file = pytest.importorskip("torch"), tmp_path / "net.onnx"
    pytest.importorskip("onnx")
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Sigmoid(), torch.nn.Linear(4, 2))
    torch.onnx.export(model, torch.randn(5, 3), str(file), dynamo=False)
    whole = file.read_bytes()
    assert sn.from_onnx(file).program
    for content in (*(whole[:n] for n in range(0, len(whole) - 1, 61)), b"this is a letter\n" * 20, whole[::-1], b"\x00" * 100):
        file.write_bytes(content)
        with pytest.raises(SymnetError) as caught:
            sn.from_onnx(file)
        assert "\n" not in str(caught.value)
    for none in ("none.onnx", str(tmp_path), "/dev/zero", b"bytes", 3):
        with pytest.raises(SymnetError):
            sn.from_onnx(none)
