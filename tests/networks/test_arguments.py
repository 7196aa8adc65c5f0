"""What stands at a place of an argument list means what it means in PyTorch, or is refused: every name that PyTorch has too, by inspection."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp
from networks.torch_pairs import LISTS, number, pairs, row_of, torchs

import symnet as sn
from symnet.errors import OptionError, SymnetError
from symnet.networks.catalogue import build
from symnet.parsing.calls import call

torch = importlib.import_module("torch")
PAIRS = pairs()
each = pytest.mark.parametrize("name", PAIRS)


def test_the_pairs_are_many() -> None:
    assert len(PAIRS) >= 60 and {"LSTM", "SGD", "StepLR", "kaiming_uniform", "CrossEntropyLoss"} <= set(PAIRS)


@each
def test_each_place_has_pytorchs_name(name: str) -> None:
    ours, theirs = list(row_of(PAIRS[name][0])), torchs(name, PAIRS[name][1])
    assert ours == theirs[: len(ours)], f"{ours} against {theirs}"


@each
def test_a_value_past_the_list_is_refused(name: str) -> None:
    ours, made = row_of(PAIRS[name][0]), PAIRS[name][0]
    if name == "Identity":  # which takes anything, as in PyTorch
        return
    with pytest.raises(OptionError, match="in a row"):
        made(*[1] * (len(ours) + 1))


# The defaults that differ, and why.
OWN_DEFAULTS = {
    ("batch_first", False), ("dropout", 0.1),  # sequences are batch first; dropout is a layer of its own
    ("ignore_index", -100),  # none, so that a class that does not exist is an error
    ("eps", None),
}


@each
def test_defaults_are_pytorchs(name: str) -> None:
    if name in LISTS:
        assert inspect.signature(PAIRS[name][0]).parameters["num_layers"].default == 1
        return
    ours, theirs = inspect.signature(PAIRS[name][0]).parameters, inspect.signature(PAIRS[name][1]).parameters
    for key in set(ours) & set(theirs):
        a, b = ours[key].default, theirs[key].default
        if b is inspect.Parameter.empty or callable(b) or (key, b) in OWN_DEFAULTS or (key, a) == ("bias", True):
            continue
        assert number(a) == number(b), f"{name}, {key}: {a} against {b}"


UNREAD_VALUES = {"inplace": 7, "device": "cuda", "dtype": "float16", "size_average": True, "reduce": False, "return_indices": True, "last_epoch": 4,
                 "padding_mode": "circular", "max_norm": 2.0, "norm_type": 1.0, "scale_grad_by_freq": True, "_weight": np.ones(2), "_freeze": True,
                 "sparse": "x", "dropout": 0.3, "batch_first": False, "proj_size": 2, "add_bias_kv": True, "add_zero_attn": True, "kdim": 3, "vdim": 3,
                 "threshold": 5, "min_value": -2, "max_value": 3, "divisor_override": 3, "log_input": False, "full": True, "amsgrad": True,
                 "initial_accumulator_value": 0.1, "decoupled_weight_decay": True, "generator": "g", "eps": 0.5, "weight": np.ones(2), "bias": False,
                 "enable_nested_tensor": 7, "mask_check": 7, "custom_encoder": "x", "custom_decoder": "x", "ceil_mode": True, "process_group": "g",
                 "momentum": 0.3, "track_running_stats": 7, "recompute_scale_factor": True, "include_last_offset": True, "padding_idx": 1, "T_mult": 2, "scale_fn": abs, "scale_mode": "step"}


@each
def test_what_is_not_read_is_refused_by_name_in_its_place_and_by_keyword(name: str) -> None:
    made = PAIRS[name][0]
    target = made.__init__ if isinstance(made, type) else made
    own = inspect.signature(inspect.unwrap(target)).parameters
    row = list(row_of(made))
    for at, key in enumerate(row):
        if key in own:
            continue
        value = UNREAD_VALUES[key]
        needed = {n: 2 for n, p in own.items() if p.default is inspect.Parameter.empty and n != "self"}
        for args, keywords in (((), needed | {key: value}), ((*[inspect.signature(made).parameters[r].default for r in row[:at]], value), {})):
            if args and any(a is inspect.Parameter.empty for a in args):
                continue
            with pytest.raises(OptionError) as caught:
                made(*args, **keywords)
            assert key in str(caught.value) and "\n" not in str(caught.value)


READS: dict[str, tuple[Callable[[], object], object]] = {
    "two layers": (lambda: sn.LSTM(3, 4, 2), sn.LSTM(3, 4, num_layers=2)),
    "no bias": (lambda: sn.GRU(3, 4, 1, False), sn.GRU(3, 4, bias=False)),
    "relu": (lambda: sn.RNN(3, 4, 1, "relu"), sn.RNN(3, 4, nonlinearity="relu")),
    "the reduction of Huber": (lambda: sn.HuberLoss("sum"), sn.HuberLoss(reduction="sum")),
    "groups before bias": (lambda: sn.Conv1d(4, 4, 3, 1, 0, 1, 2, False), sn.Conv1d(4, 4, 3, groups=2, bias=False)),
    "momentum of a norm": (lambda: sn.BatchNorm1d(3, 1e-3, 0.2, False), sn.BatchNorm1d(3, eps=1e-3, momentum=0.2, affine=False)),
    "in place": (lambda: sn.ReLU(True), sn.ReLU()), "a slope in place": (lambda: sn.LeakyReLU(0.2, True), sn.LeakyReLU(negative_slope=0.2)),
    "ceil_mode": (lambda: sn.MaxPool1d(2, None, 0, 1, False, True), sn.MaxPool1d(2, ceil_mode=True)),
    "triplets": (lambda: sn.TripletMarginLoss(1.0, 2.0, 1e-6, True), sn.TripletMarginLoss(margin=1.0, eps=1e-6, swap=True)),
    "momentum": (lambda: sn.SGD(0.1, 0.9), sn.Momentum(0.1, 0.9)), "nesterov": (lambda: sn.SGD(0.1, 0.9, 0, 0.01, True), sn.Nesterov(0.1, 0.9, 0.01)),
    "betas": (lambda: sn.Adam(0.1, (0.8, 0.9)), sn.Adam(0.1, beta1=0.8, beta2=0.9)),
    "milestones": (lambda: sn.MultiStepLR([3, 8], 0.5), sn.MultiStepLR(milestones=[3, 8], gamma=0.5)),
}


@pytest.mark.parametrize("name", READS)
def test_what_is_read_in_a_row_is_what_the_keywords_say(name: str) -> None:
    made, wanted = READS[name]
    assert made() == wanted


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "weights of classes": (lambda: sn.CrossEntropyLoss([1, 2, 3]), 'weight="w"'), "a tensor": (lambda: sn.NLLLoss(torch.ones(3)), "weight"),
    "a reduction for weights": (lambda: sn.CrossEntropyLoss("sum"), 'reduction="sum"'),
    "a reduction in front": (lambda: sn.KLDivLoss("batchmean"), "size_average"), "and here": (lambda: sn.MSELoss("sum"), "reduction"),
    "times for layers": (lambda: sn.LSTM(3, 4, "T"), "steps="), "a bias that is a word": (lambda: sn.Linear(3, 4, "no"), "True or False"),
    "one beta": (lambda: sn.Adam(0.1, 0.9), "betas"), "nesterov alone": (lambda: sn.SGD(0.1, nesterov=True), "momentum"),
    "nesterov damped": (lambda: sn.SGD(0.1, 0.9, 0.5, nesterov=True), "dampening"),
    "twice": (lambda: sn.Linear(3, 4, in_features=3), "once"), "unknown": (lambda: sn.Linear(3, 4, bais=True), "did you mean 'bias'"),
    "missing": (lambda: sn.Linear(3), "out_features"), "bare milestones": (lambda: sn.MultiStepLR(3, 8), "[3, …]"),
    "no axis": (lambda: sn.Sequential(sn.Linear(3, 4), sn.Softmax(2)).program(), "dim"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_be_taken_for_something_else_is_refused_in_one_line(name: str) -> None:
    make, says = REFUSED[name]
    with pytest.raises(SymnetError) as caught:
        make()
    assert says in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 400


SHEET = 'title = "x"\n[program]\nlayers = [{}]\nloss = "{}"\n'
FROM_SHEETS = {"LSTM(3, 4, 2)": sn.LSTM(3, 4, 2), "Conv2d(3, 4, (3, 2), stride=[1, 2], bias=false)": sn.Conv2d(3, 4, (3, 2), (1, 2), bias=False),
               "BatchNorm1d(3, 1e-3, None)": sn.BatchNorm1d(3, sp.Rational(1, 1000), None), "GRU(3, 4, bias=False, output=last)": sn.GRU(3, 4, bias=False, output="last"),
               "Softmax(dim=1)": sn.Softmax(dim=1)}


@pytest.mark.parametrize("text", FROM_SHEETS)
def test_worksheets_go_through_the_same_door(text: str) -> None:
    found = call(text, "layers")
    assert build("layer", found.name, found.args, dict(found.keywords)) == FROM_SHEETS[text]


@pytest.mark.parametrize("text", ["LSTM(3, 4, T)", "Linear(3, 4, no)", "Conv1d(1, 1, 2, padding_mode=mirror)", "ReLU(2)", "Sigmoid(1)"])
def test_worksheets_are_refused_likewise(text: str) -> None:
    from symnet.parsing.worksheet import parse_worksheet
    from symnet.worksheet_loader import derivation_of

    with pytest.raises(SymnetError) as caught:
        derivation_of(parse_worksheet(SHEET.format(f'"{text}"', "MSELoss()")))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("dim", "shape"), [(1, (5, 3)), (0, (5, 3)), (-2, (5, 3)), (1, (4, 3, 6)), (2, (4, 3, 6)), (-2, (4, 3, 6)), (0, (4, 3, 6))])
@pytest.mark.parametrize("logarithm", [False, True])
def test_softmax_along_any_axis_is_pytorchs(dim: int, shape: tuple[int, ...], logarithm: bool) -> None:
    x = np.random.default_rng(2).normal(size=shape)
    layer = (sn.LogSoftmax if logarithm else sn.Softmax)(dim)
    net = sn.Sequential(sn.Input(*shape[1:]), layer)
    d = sn.derive(net.program(sn.MSELoss()), wrt=["X"])
    y = np.random.default_rng(3).normal(size=shape)
    value, found = d.compile(check=False)({"X": x}, y)
    leaf = torch.tensor(x, requires_grad=True)
    loss = torch.nn.functional.mse_loss((torch.nn.LogSoftmax if logarithm else torch.nn.Softmax)(dim)(leaf), torch.tensor(y))
    loss.backward()
    assert value == pytest.approx(float(loss), rel=1e-12) and np.allclose(found["X"], leaf.grad.numpy(), rtol=1e-9, atol=1e-13)
    assert all(s.check().ok for s in d.steps)


def test_softplus_has_pytorchs_beta() -> None:
    x = np.random.default_rng(2).normal(size=(4, 3))
    d = sn.derive(sn.Sequential(sn.Input(3), sn.Softplus(2)).program(sn.SquaredError()), wrt=["X"])
    leaf = torch.tensor(x, requires_grad=True)
    loss = (torch.nn.Softplus(2)(leaf) ** 2).sum()
    loss.backward()
    value, found = d.compile(check=False)({"X": x}, np.zeros((4, 3)))
    assert value == pytest.approx(float(loss), rel=1e-12) and np.allclose(found["X"], leaf.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize(("ours", "theirs"), [
    (lambda: sn.SGD(0.05, 0.9, 0.2, 0.1), lambda p: torch.optim.SGD(p, 0.05, 0.9, 0.2, 0.1)), (lambda: sn.SGD(0.05, 0.9, 0, 0.1, True),
     lambda p: torch.optim.SGD(p, 0.05, 0.9, 0, 0.1, True)), (sn.SGD, torch.optim.SGD), (lambda: sn.Adam(0.02, (0.7, 0.8), 1e-3, 0.1),
     lambda p: torch.optim.Adam(p, 0.02, (0.7, 0.8), 1e-3, 0.1)), (lambda: sn.AdamW(0.02, (0.7, 0.8), 1e-3), lambda p: torch.optim.AdamW(p, 0.02, (0.7, 0.8), 1e-3)),
    (lambda: sn.NAdam(0.02, (0.7, 0.8), 1e-3, 0.1, 0.01), lambda p: torch.optim.NAdam(p, 0.02, (0.7, 0.8), 1e-3, 0.1, 0.01)),
    (lambda: sn.RMSprop(0.02, 0.8, 1e-3, 0.1, 0.5, True), lambda p: torch.optim.RMSprop(p, 0.02, 0.8, 1e-3, 0.1, 0.5, True)),
    (lambda: sn.Adagrad(0.02, 0.1, 0.2), lambda p: torch.optim.Adagrad(p, 0.02, 0.1, 0.2)),
    (sn.Adam, torch.optim.Adam), (sn.RMSprop, torch.optim.RMSprop), (sn.Adagrad, torch.optim.Adagrad), (sn.NAdam, torch.optim.NAdam), (sn.AdamW, torch.optim.AdamW)])
def test_the_same_call_takes_the_same_steps(ours: Callable[[], Any], theirs: Callable[[Any], Any]) -> None:
    x, y = np.random.default_rng(0).normal(size=(6, 2)), np.random.default_rng(1).normal(size=(6, 1))
    w = np.array([[0.3], [-0.7]])
    net = sn.Sequential(sn.Linear(2, 1, bias=False), sn.Tanh())
    made = sn.fit(net, x, y, loss=sn.MSELoss(), optimizer=ours(), epochs=6, params={"W1": w})
    weight = torch.tensor(w.T.copy(), requires_grad=True)
    rule = theirs([weight])
    for _ in range(6):
        rule.zero_grad()
        torch.nn.functional.mse_loss(torch.tanh(torch.tensor(x) @ weight.T), torch.tensor(y)).backward()
        rule.step()
    assert np.allclose(made.params["W1"].T, weight.detach().numpy(), rtol=1e-6 if "NAdam" in str(type(rule)) else 1e-11)


SAID_WHY = [(lambda: sn.MaxPool1d(2, return_indices=True), "a program has one output; MaxUnpool takes"),
           (lambda: sn.AdaptiveMaxPool2d(2, return_indices=True), "a program has one output; MaxUnpool takes"),
           (lambda: sn.Embedding(5, 2, max_norm=1), "it writes into the table while looking up"),
           (lambda: sn.Embedding(5, 2, scale_grad_by_freq=True), "would not be the derivative"),
           (lambda: sn.EmbeddingBag(5, 2, padding_idx=0), "in Embedding")]


@pytest.mark.parametrize(("make", "reason"), SAID_WHY, ids=[reason for _, reason in SAID_WHY])
def test_an_argument_that_is_refused_says_why(make, reason: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(OptionError, match=reason):
        make()
