"""The sentences of a report. Plain and short; each says one thing."""

from __future__ import annotations

import sympy as sp

from symnet.core.derivation import Rule
from symnet.core.functions import BY_NAME, TABLE
from symnet.core.program import Definition
from symnet.core.sentences import capitalised

RULES: dict[Rule, str] = {
    Rule.CHAIN: "The chain rule: multiply how much the loss reacts to the next value by how much that value reacts to this one.",
    Rule.SUM_OVER_USES: "This value is used in several places. Each place has its own effect on the loss, and the effects add up.",
    Rule.LINEAR: "What uses this value is linear in it: the slope is the factor beside this value, and 1 where nothing stands beside it.",
    Rule.ELEMENTWISE: "Every entry passes through the function on its own, so its gradient is multiplied by that function's slope.",
    Rule.BROADCAST: "One value is used for many entries, so its gradient collects the gradients of all of them.",
    Rule.DIRECT: "The loss is a formula in this value; differentiate it directly.",
    Rule.SUBSTITUTED: "Put the earlier gradient in: what it divides by cancels.",
    Rule.BOUNDARY: "This is an end of the axis: other lines use this value here than at the places before it or after it.",
    Rule.RECURRENCE: "The value feeds another place along the axis, so its gradient comes back from there.",
    Rule.DETERMINANT: "The slope of a determinant in the entry (i, j) is the determinant times the entry (j, i) of the inverse.",
    Rule.INVERSE: "Moving an entry of a matrix by h moves its inverse by about -h times the inverse's column there times its row there.",
    Rule.SYMMETRIC: "The two entries across the diagonal are one number, so their gradients are put together.",
    Rule.ABSENT: "The loss does not depend on this value, so the gradient is 0.",
    Rule.STOPPED: "Every path from this value to the loss goes through a stop-gradient, which passes no slope, so the gradient is 0.",
}
READING = ("∂L/∂w is read \"dL by dw\": the slope of L in w, with everything else held still. A small number at the foot of a letter "
           "is part of its name.")
GATES = "A gradient says how fast the loss changes: if it is g, moving the value a little, by h, moves the loss by about g times h."
UNROUNDED = ("Decimals are rounded in print only: ≈ stands where a number is rounded, = where none is. The unrounded values are "
             "carried from line to line, so a line reworked with the decimals printed may differ from its result in the last digit.")
BRACKET = "A condition in square brackets is 1 where it holds and 0 elsewhere"
COLUMNS = "Samples stand as columns: every matrix is the transpose of the one that the program holds, its places exchanged everywhere."
JACOBIAN = "What is differentiated has places of its own: they stand first in every derivative, those of the variable behind them."
LAYOUT = "The gradient of a value has the shape of that value: its entry at a place is the slope of the loss in the entry there."
ROLES = {"input": "given", "target": "target", "parameter": "learned", "constant": "constant", "intermediate": "computed",
         "objective": "what is differentiated", "gradient": "gradient"}
LEADS = {
    "forward": "From the input to the loss, line by line.",
    "backward": "From the loss back. Each line names the rule that it follows.",
    "update": "Gradient descent moves each parameter a small step against its gradient; the learning rate sets the size of the step.",
    "checks": "No formula is used here: the value is moved a little, the forward pass is done again, and the loss is compared.",
    "errata": "Each line of the worked example was read and judged by exact arithmetic. A printed decimal is right when the exact "
              "value rounds to it. These numbers are not.",
}
def law(d: Definition) -> str:
    """The derivative rule of the function at the top of a definition, as a sentence; "" for a plain formula."""
    row = TABLE.get(d.expr.func)
    return capitalised(row.law, BY_NAME) + "." if row is not None and row.law else ""


def spoken(d: Definition) -> str:
    """What a plain line does, in words; "" where no short sentence says all of it."""
    named = {"sigmoid": "The sigmoid squeezes any number into the range from 0 to 1.",
             "tanh": "tanh squeezes any number into the range from −1 to 1.", "relu": "Negative numbers become 0; others stay."}
    expr = d.expr
    if expr.is_Function and _plain(expr.args[0]):
        return named.get(expr.func.__name__, "")
    if isinstance(expr, sp.Add) and all(_plain(a) or _product(a) for a in expr.args):
        return "Multiply, then add up." if any(_product(a) for a in expr.args) else "Add up."
    if _product(expr):
        return "Multiply, then add up." if isinstance(expr, sp.Sum) else "Multiply."
    if isinstance(expr, sp.Pow) and expr.exp == 2 and _difference(expr.base):
        return "Take the difference and multiply it by itself."
    return ""


def _plain(expr: sp.Expr) -> bool:
    return isinstance(expr, (sp.Indexed, sp.Symbol))


def _product(expr: sp.Expr) -> bool:
    """Entries multiplied, or a sum of such products."""
    inner = expr.function if isinstance(expr, sp.Sum) else expr
    return isinstance(inner, sp.Mul) and all(map(_plain, inner.args))


def _difference(expr: sp.Expr) -> bool:
    """a - b for two entries."""
    return isinstance(expr, sp.Add) and len(expr.args) == 2 and sorted(
        1 if _plain(a) else -1 if isinstance(a, sp.Mul) and a.args[0] == -1 and len(a.args) == 2 and _plain(a.args[1]) else 0
        for a in expr.args) == [-1, 1]


def plural(count: int, one: str, many: str = "") -> str:
    """3 lines, 1 line.

    >>> plural(1, "line"), plural(3, "line")
    ('1 line', '3 lines')
    """
    return f"{count} {one if count == 1 else many or one + 's'}"
