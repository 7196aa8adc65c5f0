"""Each layer, loss, optimizer, schedule and initializer that symnet and PyTorch both have, and how their arguments compare."""

from __future__ import annotations

import inspect
from typing import Any

import sympy as sp
import torch

import symnet as sn
from symnet.networks.catalogue import LAYERS, LOSSES
from symnet.networks.initializers import INITIALIZERS
from symnet.networks.optimizers import OPTIMIZERS
from symnet.networks.schedules import SCHEDULES

# PyTorch's recurrent layers take *args; these are the documented lists, in the order of RNNBase.__init__ (and nn.RNN's nonlinearity).
RECURRENT = "input_size hidden_size num_layers bias batch_first dropout bidirectional proj_size device dtype"
LISTS = {"LSTM": RECURRENT, "GRU": RECURRENT.replace(" proj_size", ""),
         "RNN": "input_size hidden_size num_layers nonlinearity bias batch_first dropout bidirectional device dtype"}
PLAIN = {"Sigmoid", "Tanh", "Softsign", "LogSigmoid"}  # PyTorch's take anything and read nothing


OTHER_STARTS = ("orthogonal", "trunc_normal", "uniform", "normal", "constant", "ones", "zeros", "eye", "dirac", "sparse")


def pairs() -> dict[str, tuple[Any, Any]]:
    """Each name that both have: symnet's and PyTorch's."""
    rules = {f.__name__: f for f in OPTIMIZERS.values()}
    rates = {f.__name__: f for f in SCHEDULES.values()}
    drawn = {n: getattr(sn, n) for n in [*INITIALIZERS, *OTHER_STARTS, "calculate_gain"]}
    return {n: (ours, theirs) for table, room in ((LAYERS, torch.nn), (LOSSES, torch.nn), (rules, torch.optim), (rates, torch.optim.lr_scheduler))
            for n, ours in table.items() if (theirs := getattr(room, n, None)) is not None} | {
            n: (f, theirs) for n, f in drawn.items() if (theirs := getattr(torch.nn.init, n + "_", getattr(torch.nn.init, n, None))) is not None}


ROW = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def row_of(what: Any) -> dict[str, inspect.Parameter]:
    return {n: p for n, p in inspect.signature(what).parameters.items() if p.kind in ROW}


def torchs(name: str, theirs: Any) -> list[str]:
    """PyTorch's arguments in a row, without the parameters of an optimizer, the optimizer of a schedule, the tensor of an initializer."""
    if name in LISTS:
        return LISTS[name].split()
    if name in PLAIN:
        return []
    found = list(row_of(theirs))
    return ["shape", *found[1:]] if found[:1] == ["tensor"] else [n for n in found if n not in ("params", "optimizer")]


def number(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return tuple(number(v) for v in value)
    if isinstance(value, str):
        try:
            return float(sp.Rational(value))
        except (TypeError, ValueError):
            return value
    return float(value) if isinstance(value, (int, float, sp.Rational)) and not isinstance(value, bool) else value


# Arguments that say how PyTorch computes, where it keeps numbers and how it was called once, not what is computed: here they are taken
# and change nothing, or are refused by name.
HOW = frozenset("inplace device dtype foreach fused capturable differentiable size_average reduce last_epoch generator sparse _freeze _weight "
                "enable_nested_tensor mask_check process_group recompute_scale_factor".split())


def compared(name: str, ours: Any, theirs: Any) -> str:
    """How the arguments of ours compare with PyTorch's, by inspection of both signatures: what is missing, what may only have one
    value (PyTorch's default, unless it says otherwise), what has another default."""
    if name in PLAIN:
        return "equal"
    mine = inspect.signature(ours).parameters
    read = inspect.signature(inspect.unwrap(ours.__init__ if isinstance(ours, type) else ours)).parameters
    listed = torchs(name, theirs)
    known = inspect.signature(theirs).parameters
    keywords = [n for n, p in known.items() if p.kind is p.KEYWORD_ONLY]
    missing, fixed, other = [], [], []
    for key in [n for n in (*listed, *keywords) if n not in HOW]:
        if key not in mine:
            missing.append(key)
        elif key not in read:
            fixed.append(f"{key}={mine[key].default}")
        elif key in known and known[key].default is not inspect.Parameter.empty and not callable(known[key].default):
            a, b = mine[key].default, known[key].default
            if number(a) != number(b):
                other.append(f"{key} ({a}; PyTorch {b})")
    said = [f"{word} {', '.join(found)}" for word, found in (("missing:", missing), ("only", fixed), ("other default:", other)) if found]
    return "; ".join(said) or "equal"
