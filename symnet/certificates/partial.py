"""The partial derivative of a term by one entry, node by node and nothing merged, as the lemmas of ``analysis.v`` give it.

SymPy would write exp(z)·exp(z) as exp(2z), which a field of closed exponentials does not know. What stands here decides nothing: a wrong
rule makes a file that the kernel refuses.
"""

from __future__ import annotations

from collections.abc import Callable

from symnet.certificates.terms import ONE, PI, ZERO, Term, negative, number, plus, power, times

Slopes = Callable[..., tuple[Term, ...]]
TWO = number(2)


def _call(head: str, *parts: Term) -> Term:
    return Term(head, parts)


def _inverse(t: Term) -> Term:
    return Term("inverse", (t,))


def _leaky(z: Term, s: Term) -> tuple[Term, Term]:
    low = plus(ONE, negative(_call("step", z)))
    return plus(_call("step", z), times(s, low)), times(z, low)


def _larger(u: Term, v: Term) -> tuple[Term, Term]:
    return _call("step", plus(u, negative(v))), _call("step", plus(v, negative(u)))


SLOPES: dict[str, Slopes] = {
    "exp": lambda z: (_call("exp", z),), "ln": lambda z: (_inverse(z),), "sqrt": lambda z: (_inverse(times(TWO, _call("sqrt", z))),),
    "sin": lambda z: (_call("cos", z),), "cos": lambda z: (negative(_call("sin", z)),), "sinh": lambda z: (_call("cosh", z),),
    "cosh": lambda z: (_call("sinh", z),), "tanh": lambda z: (plus(ONE, negative(power(_call("tanh", z), 2))),),
    "atan": lambda z: (_inverse(plus(ONE, power(z, 2))),),
    "erf": lambda z: (times(times(TWO, _inverse(_call("sqrt", PI))), _call("exp", negative(power(z, 2)))),),
    "sigmoid": lambda z: (times(_call("sigmoid", z), plus(ONE, negative(_call("sigmoid", z)))),),
    "softplus": lambda z: (_call("sigmoid", z),), "relu": lambda z: (_call("step", z),), "leaky_relu": _leaky,
    "step": lambda z: (ZERO,), "sign": lambda z: (ZERO,), "abs": lambda z: (_call("sign", z),), "max": _larger,
    "min": lambda u, v: _larger(u, v)[::-1],
}


def partial(term: Term, name: str) -> Term:
    """∂term/∂name.

    >>> from symnet.certificates.terms import entry
    >>> x, y = entry("x"), entry("y")
    >>> partial(times(x, y), "x") == y, partial(_call("exp", x), "x") == _call("exp", x), partial(y, "x") == ZERO
    (True, True, True)
    """
    if name not in term.entries:
        return ZERO
    head, p = term.head, term.parts
    if head == "entry":
        return ONE
    if head == "choose":
        return _call("choose", p[0], partial(p[1], name), partial(p[2], name))
    inner = [partial(part, name) for part in p]
    if head == "plus":
        return plus(*inner)
    if head == "minus":
        return plus(inner[0], negative(inner[1]))
    if head == "negative":
        return negative(inner[0])
    if head == "times":
        return plus(times(inner[0], p[1]), times(p[0], inner[1]))
    if head == "divide":
        first = times(inner[0], _inverse(p[1]))
        return plus(first, negative(times(times(p[0], inner[1]), _inverse(power(p[1], 2)))))
    if head == "inverse":
        return negative(times(inner[0], _inverse(power(p[0], 2))))
    if head == "power":
        n = int(term.value)
        return times(times(number(n), power(p[0], n - 1)), inner[0])
    made = ZERO
    for slope, moved in zip(SLOPES[head](*p), inner, strict=True):
        made = plus(made, times(slope, moved))
    return made
