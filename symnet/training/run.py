"""Train as a worksheet says: its data, optimizer and settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from symnet.core.derivation import Derivation
from symnet.errors import WorksheetError
from symnet.networks.schedules import Schedule, schedule
from symnet.training.data import dataset
from symnet.training.fit import Fit, fit

SETTINGS = ("momentum", "dampening", "weight_decay", "beta1", "beta2", "alpha", "eps")  # of an optimizer, not of the run


class Called(Protocol):
    """A name with arguments, as a worksheet gives it."""

    @property
    def name(self) -> str: ...
    @property
    def args(self) -> tuple[Any, ...]: ...
    @property
    def keywords(self) -> tuple[tuple[str, Any], ...]: ...


def train_sheet(derivation: Derivation, changes: Mapping[str, Any], progress: bool | None = None) -> Fit:
    """A fit by the [training] table of a worksheet, with ``changes`` on top. Raises WorksheetError when it has none.

    Another optimizer does not take over the settings of the one it replaces.
    """
    own = dict(derivation.meta.get("training") or {})
    if not own:
        raise WorksheetError("train", "no [training] in this worksheet", "a [training] table", "symnet train xor")
    if str(changes.get("optimizer", own.get("optimizer", "sgd"))).lower() != str(own.get("optimizer", "sgd")).lower():
        own = {k: v for k, v in own.items() if k not in SETTINGS}
    spec = {**own, **changes}
    name = spec.get("data", "values")
    data = () if name == "values" else dataset(name)
    settings = {**{k: spec[k] for k in SETTINGS if k in spec}, **spec.get("settings", {})}
    rates = schedule_from(spec["schedule"]) if "schedule" in spec else None
    return fit(derivation, *data, optimizer=spec.get("optimizer", "sgd"), lr=spec.get("learning_rate"),
               epochs=spec.get("epochs", 100), batch_size=spec.get("batch_size"), seed=spec.get("seed", 0), schedule=rates,
               clip_value=spec.get("clip_value"), clip_norm=spec.get("clip_norm"), init=spec.get("init", "xavier_uniform"),
               progress=progress, **settings)


def schedule_from(named: Called) -> Schedule:
    """The schedule that a call such as ``warmup(5, cosine(100))`` names."""
    def value(given: Any) -> Any:
        return schedule_from(given) if hasattr(given, "keywords") else given

    return schedule(named.name, *map(value, named.args), **{k: value(v) for k, v in named.keywords})
