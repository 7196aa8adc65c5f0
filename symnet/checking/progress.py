"""How far a judge of many things is, for somebody who watches the clock and may have to begin again without one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Way:
    """``at`` hears the key of every piece that is begun, and None when it is done. ``lost`` are pieces that are not tried (an earlier
    try did not end), with the reason."""

    at: Callable[[Any], None] = lambda key: None
    lost: Mapping[Any, str] = field(default_factory=dict)


ALONE = Way()  # nobody watches
