"""No raw error from a public call: every argument of every public function and method, given what does not belong there.

Each call starts from one that works and puts one wrong thing in the place of one argument. What comes back is a result or one line
of the error family; an argument that is missing or unknown may stay Python's own TypeError.
"""

from __future__ import annotations

import inspect
import signal
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp

import symnet as sn
from symnet.equality.compare import compare
from symnet.errors import FaultError, SymnetError, shown

SECONDS = 10  # of one call; what takes longer is no raw error
x = sp.Symbol("x", real=True)


class Stranger:
    """An object that can do nothing."""

    def __repr__(self) -> str:
        raise RuntimeError("a stranger does not show itself")


def wrong_things() -> dict[str, Any]:
    """What stands in the place of an argument; made anew, since some of it is used up."""
    return {
        "None": None, "True": True, "0": 0, "-1": -1, "2.5": 2.5, "nan": float("nan"), "inf": float("inf"), "huge": 10**5000, "1j": 1j,
        "empty text": "", "a word": "nope", "a zero byte": "a\0b", "a long text": "a" * 3000, "two lines": "a\nb", "a surrogate": "\ud800",
        "bytes": b"w", "empty list": [], "numbers": [1, 2], "names": ["w", "nope"], "mixed": ["w", 3, None], "tuple": (), "dict": {},
        "dict of numbers": {1: 2}, "dict of nan": {"w": float("nan"), "x": 1}, "dict of objects": {"w": object()}, "set": {1}, "object": object(),
        "stranger": Stranger(), "lambda": lambda: 0, "class": int, "array": np.zeros(2), "array of objects": np.array([None, "a"]),
        "empty array": np.zeros((0, 2)), "array scalar": np.float64("nan"), "symbol": x, "sum": x**2 + 1, "zoo": sp.zoo, "equation": sp.Eq(x, 1),
        "matrix": sp.Matrix([[1, 2]]), "layer class": sn.Linear, "layer": sn.Linear(1, 1), "loss": sn.MSELoss(), "network": net(),
        "program": program(), "derivation": derived(), "iterator": iter([1]), "range": range(3), "path": Path("no/such/file.toml"),
        "decimal": Decimal("nan"), "fraction": Fraction(1, 3), "error": ValueError("x"), "ellipsis": ..., "slice": slice("a", None),
    }


@cache
def net() -> sn.Sequential:
    return sn.Sequential(sn.Linear(2, 1), sn.Sigmoid())


@cache
def program() -> sn.Program:
    return sn.program("L = (w*x - y)**2")


@cache
def derived() -> sn.Derivation:
    return sn.derive(program(), wrt="w")


@cache
def trained() -> sn.Fit:
    return sn.fit(net(), np.ones((3, 2)), np.ones((3, 1)), loss="mse", epochs=1, progress=False)


def backward(w: Any, x: Any, y: Any) -> Any:
    return 2 * x * (w * x - y)


Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


def working() -> dict[str, Call]:
    """A call of each public function and method that works: the function, what goes in a row, what goes by name."""
    d, p, n = derived(), program(), net()
    there = d.at({"w": 1, "x": 2, "y": 3})
    f, fit, report, w = d.compile(), trained(), sn.report(d), p["w"]
    g, X, Y = d.gradients, np.ones((3, 2)), np.ones((3, 1))
    calls: dict[str, Call] = {
        "program": (sn.program, ("L = x**2",), {"tensors": {"x": ()}, "objective": "L", "assumptions": [], "title": "t"}),
        "derive": (sn.derive, (n,), {"loss": "mse", "wrt": ["W1"], "batch": "N"}),
        "derive a program": (sn.derive, (p,), {"wrt": "w"}),
        "check": (sn.check, ("2*x*(w*x - y)", d, "w"), {"timeout": None}),
        "diagnose": (sn.diagnose, ("x*(w*x - y)", d, "w"), {}),
        "check_code": (sn.check_code, (backward, d), {}),
        "check_page": (sn.check_page, ("z1 = 1",), {"worksheet": "first", "where": "page", "timeout": None}),
        "compare": (sn.compare, (x, x + 1), {}),
        "the judge of compare": (compare, (x, x + 1), {"assumptions": (), "holes": (), "other_holes": ()}),
        "prove": (sn.prove, ("loss-scaling",), {"optimizer": "sgd"}),
        "report": (sn.report, (d,), {"level": "student", "digits": 6, "format": "text", "theorem": True, "notation": "both", "samples": "rows",
                                     "check": True}),
        "load": (sn.load, ("first",), {"check": False}),
        "fit": (sn.fit, (trained().derivation, X, Y), {"loss": None, "optimizer": "sgd", "lr": "0.1", "epochs": 1, "batch_size": 2, "seed": 0, "params": {},
                                    "schedule": "constant", "clip_value": 1, "init": "xavier", "progress": False,
                                    "constants": {}, "shuffle": True, "dtype": "float32", "sample_weight": [1, 2, 1], "class_weight": {1: 2},
                                    "validation_data": (X, Y), "validation_split": None, "metrics": ["mse"], "early_stopping": True,
                                    "callbacks": [], "epoch_loss": "during", "log": None, "checkpoint": None, "checkpoint_every": 2,
                                    "resume": None}),
        "export": (sn.export, (d,), {"library": "numpy", "dtype": "float64", "check": True}),
        "symmetric": (sn.symmetric, (sn.derive(sn.program("L = sum(A**2)", tensors={"A": ("n", "n")})), "A"), {}),
        "jacobian": (sn.jacobian, (p, "L"), {"wrt": ["w"]}),
        "hessian": (sn.hessian, (d, "w"), {"wrt": "w"}),
        "hessian_vector_product": (sn.hessian_vector_product, (d, "w"), {"vector": "v"}),
        "from_sklearn": (sn.from_sklearn, (object(),), {}),
        "from_onnx": (sn.from_onnx, ("none.onnx",), {}),
        "loss_program": (sn.loss_program, (sn.MSELoss(),), {}),
        "optimizer": (sn.optimizer, ("sgd",), {"lr": "0.1"}),
        "schedule": (sn.schedule, ("step", 3), {}),
        "with_schedule": (sn.with_schedule, (sn.SGD(), sn.StepLR(3)), {}),
        "weight_decay": (sn.weight_decay, (sn.SGD(), "0.1"), {}),
        "decoupled_decay": (sn.decoupled_decay, (sn.SGD(), "0.1"), {}),
        "clip_by_value": (sn.clip_by_value, (sn.SGD(), 1), {}),
        "clip_by_norm": (sn.clip_by_norm, (sn.SGD(), 1), {}),
        "global_norm": (sn.global_norm, ([w],), {}),
        "Derivation.gradients[]": (lambda name: g[name], ("w",), {}),
        "Derivation.gradients.get": (g.get, ("w",), {}),
        "Derivation.gradient_name": (d.gradient_name, ("w",), {}),
        "Derivation.closed_form": (d.closed_form, ("w",), {}),
        "Derivation.instantiate": (d.instantiate, (), {"sizes": {}}),
        "Derivation.at": (d.at, ({"w": 1, "x": 2, "y": 3},), {"sizes": {}}),
        "Derivation.compile": (d.compile, (), {"backend": "numpy", "dtype": "float64", "check": True}),
        "compiled": (f, ({"w": 1.0}, 2.0, 3.0), {}),
        "compiled by name": (f, ({"w": 1.0},), {"x": 2.0, "y": 3.0}),
        "values.exact": (there.exact, ("L",), {}),
        "values.exact_scalar": (there.exact_scalar, ("L",), {}),
        "values.exact_lines": (there.exact_lines, ("L",), {}),
        "values.decimal": (there.decimal, ("L", 6), {}),
        "values.ball": (there.ball, ("L", 64), {}),
        "Program[]": (lambda name: p[name], ("w",), {}),
        "Program.uses": (p.uses, ("L",), {}),
        "Program.extend": (p.extend, ((),), {"objective": ""}),
        "Program": (sn.Program, (p.inputs, p.definitions), {"objective": "L", "assumptions": (), "title": ""}),
        "Definition": (sn.Definition, (sn.Tensor("L"), (), x), {"ranges": (), "note": ""}),
        "Assumption": (sn.Assumption, (x, x), {"said": ""}),
        "Tensor": (sn.Tensor, ("W",), {"axes": (sn.Axis.of("d"),), "domain": "real"}),
        "Tensor[]": (lambda place: sn.Tensor("W", (sn.Axis.of("d"),))[place], (1,), {}),
        "Tensor.with_role": (w.with_role, (w.role,), {}),
        "Axis.of": (sn.Axis.of, ("d",), {}),
        "Axis.between": (sn.Axis.between, (0, "d", sn.Axis.of("d").kind), {}),
        "Sequential": (sn.Sequential, (sn.Linear(1, 1), sn.Sigmoid()), {}),
        "Sequential[]": (lambda place: n[place], (0,), {}),
        "Sequential.program": (n.program, (), {"loss": "mse", "batch": "N", "title": "t"}),
        "fit with a norm": (sn.fit, (trained().derivation, X, Y), {"clip_norm": 1, "optimizer": "adam", "epochs": 1, "progress": False}),
        "Input": (lambda *shape: sn.Sequential(sn.Input(*shape), sn.Flatten()).program(), (2, 3), {}),
        "Residual": (sn.Residual, (sn.Tanh(),), {}),
        "Report.as_format": (report.as_format, ("text",), {}),
        "Report.text": (report.text, (88,), {}),
        "Report.write": (report.write, (Path("/nonexistent/a.html"), "html"), {}),
        "Fit.predict": (fit.predict, (X,), {}),
        "Optimizer.with_settings": (sn.SGD().with_settings, (), {"lr": "0.1"}),
        "Optimizer.definition": (sn.SGD().definition, ("w_new",), {}),
        "Schedule.rate": (sn.StepLR(3).rate, (1, 1), {}),
        "calculate_gain": (sn.calculate_gain, ("relu",), {"param": None}),
    }
    for name in sn.__all__:
        thing = getattr(sn, name)
        made = _constructed(name, thing)
        if made is not None:
            calls[name] = made
    return calls


FRONT = {"PixelShuffle": (4, 2, 2), "PixelUnshuffle": (2, 4, 4), "Unfold": (2, 4, 4), "Fold": (8, 4), "Softmax2d": (2, 4, 4), "EmbeddingBag": (3,),
         "GroupNorm": (2, 4), "PReLU": (2, 4)}  # what a layer needs in front of it, where its name does not tell the axes


def _constructed(name: str, thing: Any) -> Call | None:
    """Layers (put into a network), losses (put behind one), optimizers, schedules and initializers, from their signatures."""
    if name in ("Layer", "Loss", "Sequential", "Residual", "Input", "Optimizer", "Schedule", "calculate_gain", "with_schedule", "schedule", "optimizer"):
        return None
    layer = inspect.isclass(thing) and issubclass(thing, sn.Layer)
    loss = inspect.isclass(thing) and issubclass(thing, sn.Loss)
    file = getattr(thing, "__module__", "")
    if not (layer or loss or file in ("symnet.networks.optimizers", "symnet.networks.optimizers_adaptive", "symnet.networks.schedules",
                                      "symnet.networks.initializers")):
        return None
    given: dict[str, Any] = {}
    own = {"OneCycleLR": {"total_steps": 10}, "dirac": {"shape": (3, 2, 3)}, "sparse": {"sparsity": "1/2"}}.get(name, {})
    for p in inspect.signature(thing).parameters.values():
        special = {"shape": (3, 2), "loss": sn.MSELoss(), "milestones": [2], "kernel_size": 2, "normalized_shape": 2,
                   "schedulers": [sn.StepLR(3)] * (2 if name == "SequentialLR" else 1), "lr_lambda": lambda epoch: 0.5,
                   "encoder_layer": sn.TransformerEncoderLayer(2, 1, 2), "decoder_layer": sn.TransformerDecoderLayer(2, 1, 2),
                   "unflattened_size": (1, 2), "dim": 1, "in_features": 1 if loss else 2, "output_size": (3, 3) if name == "Fold" else 2}
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY):
            given[p.name] = p.default if p.default is not p.empty else special.get(p.name, 2)
    given |= own
    if layer:
        shape = FRONT.get(name, (2, *[4] * next((d for d in (1, 2, 3) if f"{d}d" in name), 1)))
        if name.startswith("Upsampl"):
            given["scale_factor"] = 2
        front = [sn.Input(*shape)] if not thing(**given).sample_axes() else []
        return (lambda **kw: sn.Sequential(*front, thing(**kw)).program()), (), given
    if loss:
        return (lambda **kw: net().program(thing(**kw))), (), given
    return thing, (), given


class Slow(BaseException):
    """A call took too long to wait for."""


def _stop(*_: Any) -> None:
    raise Slow


def outcome(call: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]) -> str:
    """What is wrong with how a call ended; "" where nothing is."""
    before = signal.signal(signal.SIGALRM, _stop)
    signal.alarm(SECONDS)
    try:
        result = call(*args, **named)
        repr(result)
        return ""
    except FaultError as error:
        return f"a fault: {error}"
    except SymnetError as error:
        said = str(error)
        return "" if "\n" not in said and 0 < len(said) < 1200 else f"not one line: {said[:300]}"
    except Slow:
        return ""
    except BaseException as error:
        return f"{type(error).__name__}: {shown(error, 200)}"
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


STEP = 23  # the quick test takes every 23rd pair of an argument and a thing, the slow one all


def variants(args: tuple[Any, ...], named: dict[str, Any], first: int = 0, step: int = 1) -> Iterator[tuple[str, tuple[Any, ...], dict[str, Any]]]:
    """The working call with one wrong thing in it, for every ``step``-th pair of an argument and a thing."""
    pairs = [(label, place) for label in wrong_things() for place in (*range(len(args)), *named)]
    for label, place in pairs[first::step]:
        wrong = wrong_things()[label]
        if isinstance(place, int):
            yield f"argument {place} = {label}", (*args[:place], wrong, *args[place + 1:]), named
        else:
            yield f"{place} = {label}", args, {**named, place: wrong}


WORKING = working()
FAILING = {"from_sklearn", "from_onnx", "Report.write"}  # there is no model and no such folder


@pytest.mark.parametrize("name", [name for name in WORKING if name not in FAILING])
def test_each_call_works_as_it_stands(name: str) -> None:
    call, args, named = WORKING[name]
    call(*args, **named)


def raw_errors(name: str, first: int = 0, step: int = 1) -> list[str]:
    call, args, named = WORKING[name]
    return [f"{what}: {wrong}" for what, a, k in variants(args, named, first, step) if (wrong := outcome(call, a, k))]


@pytest.mark.parametrize("name", WORKING)
def test_a_wrong_thing_gives_no_raw_error(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert raw_errors(name, len(name) % STEP, STEP) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", WORKING)
def test_no_wrong_thing_gives_a_raw_error(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert raw_errors(name) == []
