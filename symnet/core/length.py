"""How long an expression is before anybody writes it: expressions share their parts, their texts do not."""

from __future__ import annotations

from typing import Any

import sympy as sp

from symnet.core.numbers import enclose


class AsItStands(sp.Expr):  # type: ignore[misc]
    """A long number, printed with its terms in the order in which they stand.

    SymPy evaluates every term of every sum to sort them, which takes time that grows with the square of the length. ``doit()`` is the
    number itself; ``evalf`` gives certified digits.

    >>> AsItStands(sp.exp(2) + 1)
    1 + exp(2)
    """

    is_commutative = True

    def doit(self, **hints: Any) -> sp.Expr:
        """The number as a plain expression."""
        return self.args[0]

    def _sympystr(self, printer: Any) -> str:
        return str(sp.sstr(self.args[0], order="none"))

    def _latex(self, printer: Any) -> str:
        return str(sp.latex(self.args[0], order="none"))

    def _eval_is_real(self) -> Any:
        return True

    def _eval_is_extended_real(self) -> Any:
        return True

    def _eval_evalf(self, prec: int) -> sp.Expr:
        return sp.Float(enclose(self.args[0], {}, prec + 64).str(int(prec * 0.30103) + 3, radius=False), precision=prec)


def length(expr: sp.Basic, known: dict[Any, int] | None = None) -> int:
    """About how many characters the text of ``expr`` has; every different part is looked at once.

    ``known`` holds the lengths of parts: of symbols, those of what is to be put in for them.

    >>> x = sp.Symbol("x")
    >>> length(x + 1), length(sp.exp(x + 1) * (x + 1))
    (5, 18)
    """
    known = {} if known is None else known
    stack: list[sp.Basic] = [expr]
    while stack:
        node = stack[-1]
        if node in known:
            stack.pop()
            continue
        missing = [a for a in node.args if a not in known] if not node.is_Atom else []
        if missing:
            stack += missing
        else:
            known[node] = _of_atom(node) if node.is_Atom else sum(known[a] for a in node.args) + _around(node)
            stack.pop()
    return known[expr]


def _of_atom(node: sp.Basic) -> int:
    if isinstance(node, sp.Rational):
        return sum(1 + int(abs(int(n)).bit_length() * 0.30103) for n in ((node.p,) if node.q == 1 else (node.p, node.q)))
    return len(str(node))


def _around(node: sp.Basic) -> int:
    """What a node adds to the texts of its arguments: signs, brackets, a name."""
    if isinstance(node, (sp.Add, sp.Mul, sp.Pow)):
        return 3 * (len(node.args) - 1)
    return len(node.func.__name__) + 2 * len(node.args)


def parts(expr: sp.Basic) -> int:
    """How many different parts ``expr`` has, itself included.

    >>> x = sp.Symbol("x")
    >>> parts(sp.exp(x + 1) * (x + 1))
    5
    """
    seen, stack = {expr}, [expr]
    while stack:
        for arg in stack.pop().args:
            if arg not in seen:
                seen.add(arg)
                stack.append(arg)
    return len(seen)
