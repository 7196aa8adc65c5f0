"""The sentences of a report. Plain and short; each says one thing."""

from __future__ import annotations

from symnet.core.derivation import Rule
from symnet.core.functions import TABLE
from symnet.core.program import Definition

RULES: dict[Rule, str] = {
    Rule.CHAIN: "The chain rule: multiply how much the loss reacts to the next value by how much that value reacts to this one.",
    Rule.SUM_OVER_USES: "This value is used in several places. Each place has its own effect on the loss, and the effects add up.",
    Rule.LINEAR: "The next value is a weighted sum, so its slope in one factor is the other factor.",
    Rule.ELEMENTWISE: "Every entry passes through the function on its own, so its gradient is multiplied by that function's slope.",
    Rule.BROADCAST: "One value is used for many entries, so its gradient collects the gradients of all of them.",
    Rule.DIRECT: "The loss is a formula in this value; differentiate it directly.",
    Rule.SUBSTITUTED: "Put the earlier gradient in: what it divides by cancels, and a shorter line is left.",
    Rule.BOUNDARY: "At the end of the axis only one of the terms is left.",
    Rule.RECURRENCE: "The value feeds the next place along the axis, so its gradient comes back from there.",
    Rule.DETERMINANT: "The slope of a determinant in the entry (i, j) is the determinant times the entry (j, i) of the inverse.",
    Rule.INVERSE: "Moving an entry of a matrix by h moves its inverse by about -h times the inverse's column there times its row there.",
    Rule.SYMMETRIC: "The two entries across the diagonal are one number, so their gradients are put together.",
    Rule.ABSENT: "The loss does not depend on this value, so the gradient is 0.",
    Rule.STOPPED: "Every path from this value to the loss goes through a stop-gradient, which passes no slope, so the gradient is 0.",
}
READING = ("∂L/∂w is read \"dL by dw\": the slope of L in w, with everything else held still. A small number at the foot of a letter "
           "is part of its name.")
GATES = "A gradient says how fast the loss changes: if it is g, moving the value a little, by h, moves the loss by about g times h."
LAYOUT = "The gradient of a value has the shape of that value: its entry at a place is the slope of the loss in the entry there."
ROLES = {"input": "given", "target": "target", "parameter": "learned", "constant": "constant", "intermediate": "computed",
         "objective": "what is differentiated", "gradient": "gradient"}
LEADS = {
    "forward": "From the input to the loss, line by line.",
    "backward": "From the loss back to the parameters. Each line uses the line before it, and names the rule it follows.",
    "update": "Gradient descent moves each parameter a small step against its gradient; the learning rate sets the size of the step.",
    "checks": "No formula is used here: the value is moved a little, the forward pass is done again, and the loss is compared.",
    "errata": "Each line of the worked example was read and judged by exact arithmetic. A printed decimal is right when the exact "
              "value rounds to it. These numbers are not.",
}
SHORT_LAW = "slope"


def law(d: Definition) -> str:
    """The derivative rule of the function at the top of a definition, as a sentence; "" for a plain formula."""
    row = TABLE.get(d.expr.func)
    return row.law[0].upper() + row.law[1:] + "." if row is not None and row.law else ""


def plural(count: int, one: str, many: str = "") -> str:
    """3 lines, 1 line.

    >>> plural(1, "line"), plural(3, "line")
    ('1 line', '3 lines')
    """
    return f"{count} {one if count == 1 else many or one + 's'}"
