"""Sequential: which program comes out, how the sample axis is chosen, and layers and losses from their names."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest
import sympy as sp

import symnet as sn
from symnet.core.axes import Kind
from symnet.core.tensors import Role
from symnet.errors import OptionError, SymnetError
from symnet.networks.catalogue import LAYERS, LOSSES, build
from symnet.networks.convolution import Convolution
from symnet.networks.layers import LeakyReLU, Linear
from symnet.networks.losses import CrossEntropyLoss, SquaredError
from symnet.networks.sequential import Sequential

BATCHES = {
    "rows by default": (Sequential(Linear("d", 2)), None, "X", ["N", "d"]),
    "plain numbers by default": (Sequential(Linear(1, 1)), None, "x", []),
    "one sample": (Sequential(Linear("d", 2)), False, "x", ["d"]),
    "a name": (Sequential(Linear("d", 2)), "B", "X", ["B", "d"]),
    "a number": (Sequential(Linear("d", 2)), 5, "X", ["5", "d"]),
    "rows of one": (Sequential(Linear(1, 1)), "N", "X", ["N", "1"]),
    "True": (Sequential(Linear(1, 1)), True, "X", ["N", "1"]),
    "one of many": (Sequential(Linear(1, 2)), None, "X", ["N", "1"]),
    "conv": (Sequential(Convolution(2, 3)), None, "X", ["N", "4"]),
    "a layer before": (Sequential(sn.Tanh(), Linear(3, 2)), None, "X", ["N", "3"]),
}


@pytest.mark.parametrize("net, batch, name, shape", BATCHES.values(), ids=BATCHES)
def test_the_input_has_the_wanted_shape(net: Sequential, batch: object, name: str, shape: list[str]) -> None:
    first = net.program(batch=batch).inputs[0]
    assert (first.name, [str(s) for s in first.shape], first.role) == (name, shape, Role.INPUT)
    assert not shape or (first.axes[0].kind is Kind.BATCH) is (len(shape) > 1)


def test_the_lines_come_in_the_order_of_the_layers() -> None:
    made = Sequential(Linear("d", "h"), sn.Tanh(), Linear("h", "k"), sn.Softmax()).program(CrossEntropyLoss())
    assert [d.name for d in made] == ["z1", "a1", "z2", "a2", "p", "L"]
    assert [t.name for t in made.inputs] == ["X", "W1", "b1", "W2", "b2", "Y"]


def test_two_activations_in_a_row_get_names_of_their_own() -> None:
    made = Sequential(Linear("d", "h"), sn.Tanh(), sn.ReLU(), sn.Sigmoid()).program()
    assert len({d.name for d in made}) == 4


def test_the_title_is_kept_and_the_loss_is_the_objective() -> None:
    made = Sequential(Linear("d", 1)).program(SquaredError(), title="<b>mine</b>")
    assert (made.title, made.objective) == ("<b>mine</b>", "L")
    assert Sequential(Linear("d", 1)).program().objective == "z1"


def test_a_network_can_be_used_again() -> None:
    net = Sequential(Linear("d", "h"), sn.Tanh())
    assert str(net.program(SquaredError())) == str(net.program(SquaredError())) != str(net.program())


REFUSED: dict[str, Callable[[], object]] = {
    "nothing": lambda: Sequential(),
    "no layer": lambda: Sequential(3),
    "a class that needs arguments": lambda: Sequential(sn.Linear),
    "an abstract class": lambda: Sequential(sn.Tanh.__mro__[1]),
    "a name": lambda: Sequential("Tanh"),
    "a list": lambda: Sequential([Linear(2, 3)]),
    "a loss as a layer": lambda: Sequential(SquaredError()),
    "no width known": lambda: Sequential(sn.Tanh()).program(),
    "unknown layer": lambda: build("layer", "Linaer", (2, 3)),
    "unknown loss": lambda: build("loss", "MSE", ()),
    "too few": lambda: build("layer", "Linear", (2,)),
    "too many": lambda: build("layer", "Tanh", (2,)),
    "unknown keyword": lambda: build("layer", "Linear", (2, 3), {"bais": True}),
    "an inner name": lambda: build("layer", "__init__", ()),
    "an abstract name": lambda: build("layer", "Layer", ()),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_what_makes_no_network_is_refused_in_one_line(make: Callable[[], object]) -> None:
    with pytest.raises(SymnetError) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_misspelt_layer_is_told_what_was_meant() -> None:
    with pytest.raises(OptionError, match="did you mean 'Linear'"):
        build("layer", "Linaer", (2, 3))


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_by_name_is_the_layer(name: str) -> None:
    needed = [p.name for p in inspect.signature(LAYERS[name]).parameters.values() if p.default is p.empty]
    special = {"block": sn.Tanh(), "encoder_layer": sn.TransformerEncoderLayer(2, 1), "decoder_layer": sn.TransformerDecoderLayer(2, 1),
               "unflattened_size": (1, 2)}
    args = tuple(special.get(n, 2) for n in needed)
    assert build("layer", name, args) == LAYERS[name](*args)


@pytest.mark.parametrize("name", [n for n in LOSSES if n not in ("L1Penalty", "L2Penalty", "LinearCrossEntropyLoss")])
def test_a_loss_by_name_is_the_loss(name: str) -> None:
    assert build("loss", name, ()) == LOSSES[name]()


def test_arguments_by_name_arrive() -> None:
    assert build("layer", "Linear", ("d", 3), {"bias": False}) == Linear("d", 3, False)
    assert build("layer", "LeakyReLU", (), {"negative_slope": "1/5"}) == LeakyReLU("1/5")
    assert build("loss", "CrossEntropyLoss", (), {"normalized": True}) == CrossEntropyLoss(normalized=True)


NET = Sequential(Linear(2, 3), sn.Tanh, Sequential(Linear(3, 1), sn.Sigmoid()))


def test_a_network_is_a_sequence() -> None:
    assert len(NET) == 3 and NET[0] == Linear(2, 3) and NET[-1][1] == sn.Sigmoid() and list(NET) == [NET[0], NET[1], NET[2]]
    assert NET[:2] == Sequential(Linear(2, 3), sn.Tanh()) != NET and hash(NET) == hash(Sequential(*NET))


@pytest.mark.parametrize("place", [3, -4, slice(1, 1), "0", 1.0, None, True, slice("a", None)])
def test_a_place_that_is_none_is_one_line(place: object) -> None:
    with pytest.raises(SymnetError):
        NET[place]  # type: ignore[call-overload]


def test_a_place_behind_the_end_is_pythons_index_error_too() -> None:
    with pytest.raises(IndexError):
        NET[7]


def test_a_network_in_a_network_is_its_layers() -> None:
    flat = Sequential(Linear(2, 3), sn.Tanh(), Linear(3, 1), sn.Sigmoid())
    assert str(NET.program(SquaredError())) == str(flat.program(SquaredError()))
    assert str(Sequential(Sequential(Sequential(Linear(1, 1)))).program("mse")) == str(Sequential(Linear(1, 1)).program("mse"))
    assert sn.Residual(Sequential(Linear(3, 3), sn.Tanh())).sample_axes() == Linear(3, 3).sample_axes()


def test_a_network_is_shown_as_pytorch_shows_it() -> None:
    torch = pytest.importorskip("torch.nn")
    theirs = torch.Sequential(torch.Linear(2, 3), torch.Tanh(), torch.Sequential(torch.Linear(3, 1), torch.Sigmoid()))
    assert repr(NET) == repr(theirs)


@pytest.mark.parametrize("name", ["mse", "MSE", "mse_loss", "MSELoss", "mean_squared_error", sn.MSELoss, sn.MSELoss()])
def test_a_loss_goes_by_its_name_its_class_or_itself(name: object) -> None:
    assert str(Sequential(Linear(1, 1)).program(name)) == str(Sequential(Linear(1, 1)).program(sn.MSELoss()))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [n for n in LOSSES if n not in ("L1Penalty", "L2Penalty", "LinearCrossEntropyLoss")])
def test_every_loss_goes_by_its_name(name: str) -> None:
    from symnet.networks.catalogue import loss

    assert loss(name) == loss(name.lower()) == loss(name.removesuffix("Loss")) == LOSSES[name]()


@pytest.mark.parametrize("name", ["sgd", "SGD", "signSGD", "sign-sgd", "adam_w", sn.Adam, sn.SGD()])
def test_an_optimizer_goes_by_its_name_its_constructor_or_itself(name: object) -> None:
    assert sn.optimizer(name, lr="1/2").settings["lr"] == sp.Rational(1, 2)  # type: ignore[arg-type]


MEANT: dict[str, tuple[Callable[[], object], str]] = {
    "a name of the package": (lambda: sn.Lineer, "'Linear'"),
    "a loss": (lambda: sn.derive(NET, loss="crossentropi"), "'CrossEntropyLoss'"),
    "an optimizer": (lambda: sn.optimizer("adamm"), "'adam'"),
    "a schedule": (lambda: sn.schedule("cosin"), "'cosine'"),
    "a variable": (lambda: sn.derive(NET, loss="mse", wrt="w1"), "'W1'"),
    "a gradient": (lambda: sn.derive(NET, loss="mse").gradients["w1"], "'W1'"),
    "a closed form": (lambda: sn.derive(NET, loss="mse").closed_form("w1"), "'W1'"),
    "a gradient's name": (lambda: sn.derive(NET, loss="mse").gradient_name("w1"), "'W1'"),
    "a value": (lambda: sn.derive(sn.program("L = (alpha*x)**2")).at({"alfa": 1, "x": 2}), "'alpha'"),
    "an array": (lambda: sn.derive(sn.program("L = (alpha*x)**2")).compile(check=False)({"alfa": 1.0, "x": 2.0}), "'alpha'"),
    "a size": (lambda: sn.derive(NET, loss="mse").instantiate({"M": 2}), "N"),
    "a claim": (lambda: sn.prove("loss"), "'loss-scaling'"),
    "a worksheet": (lambda: sn.load("frist"), "'first'"),
    "a symbol to check": (lambda: sn.check("x", sn.derive(NET, loss="mse"), "w1", timeout=None), "'W1'"),
}


@pytest.mark.parametrize("ask, meant", MEANT.values(), ids=MEANT)
def test_a_wrong_name_is_told_what_was_meant(ask: Callable[[], object], meant: str) -> None:
    with pytest.raises(SymnetError, match="did you mean" if meant != "N" else "N") as caught:
        ask()
    assert meant in str(caught.value) and "\n" not in str(caught.value)
