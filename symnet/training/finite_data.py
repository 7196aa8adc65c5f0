"""Data are numbers: what is not finite is refused before anything is computed, with the place where it stands."""

from __future__ import annotations

from typing import Any

import numpy as np

from symnet.errors import DomainError


def check_finite(where: str, name: str, values: np.ndarray[Any, Any]) -> None:
    """Raise DomainError for an array with nan or inf, naming the first place."""
    if values.dtype.kind != "f" or np.isfinite(values).all():
        return
    places = np.argwhere(~np.isfinite(values))
    first = tuple(int(k) for k in places[0])
    at = f"{name}[{', '.join(map(str, first))}]" if first else name
    more = f" (and {len(places) - 1} more)" if len(places) > 1 else ""
    raise DomainError(f"{where}, {name}", f"{at} is {values[first]}{more}", "finite numbers", "leave such rows out, or fill the gaps")
