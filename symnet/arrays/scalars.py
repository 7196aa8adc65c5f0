"""Numbers in matrix notation: the fraction in front of a product, and the squared norm of an array."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from symnet.arrays.matrix_letters import ATOM, HAD, MUL, Form, brace
from symnet.arrays.tree import Apply, Labels, Node, Number
from symnet.core.latex import LatexPrinter

Shown = Callable[[Node, Labels], Form]


def scale(form: Shown, numbers: list[Node], alone: bool = False) -> tuple[str, str]:
    r"""What stands above and what stands below the line of the fraction in front; ``alone`` when nothing stands behind it: 2 \det A."""
    above, below = [], []
    last = ""
    for a in numbers:
        power = a.args[1].value if isinstance(a, Apply) and a.function is sp.Pow and isinstance(a.args[1], Number) else None
        if isinstance(a, Apply) and power == -1:
            below.append(form(a.args[0], ()).within(MUL))
        elif isinstance(a, Apply) and power == -sp.Rational(1, 2):
            below.append(rf"\sqrt{{{form(a.args[0], ()).text}}}")
        elif isinstance(a, Number) and isinstance(a.value, sp.Rational) and a.value.q != 1:
            above += [str(a.value.p)] * (a.value.p != 1)
            below.append(str(a.value.q))
        elif alone and not last and form(a, ()).text.startswith((r"\det", r"\log \det")):
            last = form(a, ()).text
        else:
            above.append(form(a, ()).within(MUL))
    return " ".join([*above, *([last] if last else [])]), " ".join(below)


def squared_norm(form: Shown, factors: list[Node], over: list[sp.Symbol], labels: Labels, columns: bool) -> Form | None:
    """Σ of squares over all axes: ‖A‖²."""
    f = factors[0]
    if labels or len(factors) != 1 or not (isinstance(f, Apply) and f.function is sp.Pow and isinstance(f.args[1], Number)):
        return None
    if f.args[1].value != 2 or set(f.labels) != set(over):
        return None
    mark = "_{F}" if len(over) == 2 else ""
    inner = form(f.args[0], f.labels[::-1] if columns else f.labels)
    return Form(rf"\left\lVert {inner.text} \right\rVert{mark}^{{2}}", ATOM)


def power(form: Shown, printer: LatexPrinter, node: Apply, labels: Labels) -> Form | None:
    """A power of a number, or of every entry; None where the exponent is no number."""
    base, exponent = node.args
    if not isinstance(exponent, Number):
        return None
    if exponent.value == -1:
        inner = form(base, labels)
        return Form(rf"\frac{{1}}{{{inner.text}}}", MUL) if not labels else Form(rf"1 \oslash {inner.within(ATOM)}", HAD)
    mark = printer(exponent.value)
    text = form(base, labels).within(ATOM)
    text = brace(text) if "^" in text and not text.startswith(r"\left(") else text
    return Form(f"{text}^{{{mark}}}" if not labels else rf"{text}^{{\odot {mark}}}", ATOM)
