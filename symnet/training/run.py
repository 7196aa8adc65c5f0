"""Train as a worksheet says: its data, optimizer and settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from symnet.core.derivation import Derivation
from symnet.errors import WorksheetError
from symnet.networks.schedules import Schedule, schedule
from symnet.training.data import SETS, dataset
from symnet.training.fit import Fit, fit
from symnet.training.stopping import EarlyStopping
from symnet.training.tables import arrays_from

SETTINGS = ("momentum", "dampening", "weight_decay", "beta1", "beta2", "alpha", "eps")  # of an optimizer, not of the run
AS_THEY_ARE = ("batch_size", "seed", "clip_value", "clip_norm", "init", "shuffle", "dtype", "class_weight", "validation_split", "metrics",
               "log", "checkpoint", "checkpoint_every", "resume")  # arguments of fit, by the same names


class Called(Protocol):
    """A name with arguments, as a worksheet gives it."""

    @property
    def name(self) -> str: ...
    @property
    def args(self) -> tuple[Any, ...]: ...
    @property
    def keywords(self) -> tuple[tuple[str, Any], ...]: ...


def train_sheet(derivation: Derivation, changes: Mapping[str, Any], progress: bool | None = None) -> Fit:
    """A fit by the [training] table of a worksheet, with ``changes`` on top. Raises WorksheetError when it has none and no data are given.

    Another optimizer does not take over the settings of the one it replaces.
    """
    own = dict(derivation.meta.get("training") or {})
    if not own and "data" not in changes:
        raise WorksheetError("train", "no [training] in this worksheet", "a [training] table, or data", "symnet train xor, or --data")
    if str(changes.get("optimizer", own.get("optimizer", "sgd"))).lower() != str(own.get("optimizer", "sgd")).lower():
        own = {k: v for k, v in own.items() if k not in SETTINGS}
    spec = {**own, **changes}
    settings = {**{k: spec[k] for k in SETTINGS if k in spec}, **spec.get("settings", {})}
    rates = schedule_from(spec["schedule"]) if "schedule" in spec else None
    plain = {k: spec[k] for k in AS_THEY_ARE if k in spec}
    if "validation_split" in plain:
        plain["validation_split"] = float(plain["validation_split"])
    stopping = None
    if "patience" in spec:
        stopping = EarlyStopping(spec.get("monitor", ""), spec["patience"], float(spec.get("min_delta", 0)))
    X, Y = _data(derivation, spec)
    return fit(derivation, X, Y, optimizer=spec.get("optimizer", "sgd"), lr=spec.get("learning_rate"),
               epochs=spec.get("epochs", 100), schedule=rates, early_stopping=stopping, progress=progress, **plain, **settings)


def _data(derivation: Derivation, spec: Mapping[str, Any]) -> tuple[Any, Any]:
    """What the spec calls data: the worksheet's own values, a set by its name, or a file."""
    name = spec.get("data", "values")
    if name == "values":
        return None, None
    if name in SETS or not ("." in name or "/" in name):
        return dataset(name)
    return arrays_from(name, derivation.program, derivation.wrt, spec.get("target", ()), bool(spec.get("classes", False))), None


def schedule_from(named: Called) -> Schedule:
    """The schedule that a call such as ``warmup(5, cosine(100))`` names."""
    def value(given: Any) -> Any:
        return schedule_from(given) if hasattr(given, "keywords") else given

    return schedule(named.name, *map(value, named.args), **{k: value(v) for k, v in named.keywords})
