"""Numbers written or computed in the user's code, read exactly.

A short float is the decimal it prints as: 0.5, 1e-5, 0.044715. A float with 16 or 17 digits came from arithmetic, such as 1/3 or
np.sqrt(2); it is read as the simple number that it is the rounding of, and the reading is noted. What is like nothing simple is known up to
its rounding only: it can be proved to cancel, and differences as small as its rounding refute nothing.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from flint import fmpq

from symnet.checking.code import nodes as n
from symnet.core.simple_numbers import read_float
from symnet.errors import OptionError


def constant(value: Any) -> n.Node:
    """The node of a Python or NumPy number."""
    if isinstance(value, (bool, np.bool_)):
        return n.truth(bool(value))
    if isinstance(value, (int, np.integer)):
        return n.num(int(value))
    if isinstance(value, Fraction):
        return n.num(fmpq(value.numerator, value.denominator))
    if isinstance(value, (float, np.floating)):
        return _float(value)
    raise OptionError("array", f"an entry of type {type(value).__name__}", "a number")


def _float(value: Any) -> n.Node:
    x = float(value)
    if math.isnan(x):
        raise OptionError("array", "nan", "a number")
    if math.isinf(x):
        return n.graph().node("inf", (), 1 if x > 0 else -1)
    found, said = read_float(value)
    if said:
        n.graph().notes[said] = None
    return n.graph().node("about", (), x) if found is None else exact(found)


def exact(x: sp.Expr) -> n.Node:
    """The node of a fraction, π, and what roots, logarithms and products make of them."""
    if isinstance(x, sp.Mul):
        return n.mul(map(exact, x.args))
    if isinstance(x, sp.Pow):
        return n.power(exact(x.base), exact(x.exp))
    if isinstance(x, sp.log):
        return n.apply("log", exact(x.args[0]))
    return n.graph().node("pi") if x is sp.pi else n.num(fmpq(int(x.p), int(x.q)))
