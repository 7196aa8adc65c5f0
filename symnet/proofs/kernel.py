"""The kernel: the only maker of Proof. Seven rules; each makes its conclusion itself, none takes one on trust.

A Proof keeps the rule, the premises and the rule's data, so ``check()`` can make it again from nothing. A Proof that was
not made here, or was changed afterwards, does not check. Source for the manner: Milner's LCF (Gordon, Milner & Wadsworth 1979).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from symnet.core.claim import Equation, ProofLine
from symnet.core.expressions import BINDERS, Nabla, limits
from symnet.equality.compare import prove_equal
from symnet.errors import ProofError

_PERMIT = object()  # held by this module alone


@dataclass(frozen=True)
class Proof:
    """hypotheses ⊢ equations (all of them). Made by the functions of this module; anything else raises ProofError."""

    hypotheses: tuple[Equation, ...]
    equations: tuple[Equation, ...]
    rule: str
    premises: tuple[Proof, ...] = ()
    data: tuple[Any, ...] = ()
    note: str = ""
    permit: Any = None

    def __post_init__(self) -> None:
        if self.permit is not _PERMIT:
            raise ProofError("proof", "made outside the kernel", "a proof made by the kernel's rules")
        object.__setattr__(self, "permit", None)

    def __init_subclass__(cls) -> None:
        raise ProofError("proof", f"{cls.__name__}, another kind of proof", "a proof made by the kernel's rules")

    def check(self) -> bool:
        """Make every line again by its rule and compare. True only when all agree."""
        return _check(self, {})

    @property
    def lines(self) -> tuple[ProofLine, ...]:
        """The proof as a list of lines, each after the lines it uses."""
        numbers: dict[int, int] = {}
        found: list[ProofLine] = []

        def visit(p: Proof) -> int:
            if id(p) not in numbers:
                uses = tuple(visit(q) for q in p.premises)
                numbers[id(p)] = len(found) + 1
                found.append(ProofLine(len(found) + 1, p.equations, p.rule, uses, p.note))
            return numbers[id(p)]

        visit(self)
        return tuple(found)


def _check(proof: Proof, done: dict[int, bool]) -> bool:
    if id(proof) in done:
        return done[id(proof)]
    done[id(proof)] = False  # a proof that uses itself does not check
    try:
        if type(proof) is not Proof or not all(_check(p, done) for p in proof.premises):
            return False
        again = _RULES[proof.rule](*proof.premises, *proof.data)
        told = (*proof.hypotheses, *proof.equations)
    except (ProofError, TypeError, ValueError, AttributeError, LookupError, RecursionError):
        return False  # tampered with: no rule makes this line
    done[id(proof)] = (all(type(e) is Equation for e in told) and set(again.hypotheses) == set(proof.hypotheses)
                       and again.equations == proof.equations)
    return done[id(proof)]


_RULES: dict[str, Callable[..., Proof]] = {}


def _rule(name: str) -> Callable[[Callable[..., Proof]], Callable[..., Proof]]:
    def keep(function: Callable[..., Proof]) -> Callable[..., Proof]:
        _RULES[name] = function
        return function
    return keep


def _join(*proofs: Proof) -> tuple[Equation, ...]:
    return tuple(dict.fromkeys(h for p in proofs for h in p.hypotheses))


def noted(proof: Proof, note: str) -> Proof:
    """The same proof with a sentence for the reader."""
    return Proof(proof.hypotheses, proof.equations, proof.rule, proof.premises, proof.data, note, _PERMIT)


@_rule("given")
def given(equation: Equation) -> Proof:
    """{A} ⊢ A."""
    return Proof((equation,), (equation,), "given", (), (equation,), "", _PERMIT)


@_rule("at one step")
def specialize(proof: Proof, value: sp.Expr) -> Proof:
    """From ⊢ A for all t: ⊢ A at t = value, a nonnegative integer or an index."""
    (equation,) = proof.equations
    if equation.over is None:
        raise ProofError("specialize", "no 'for all'", "a statement about every step")
    if not _is_step(value):
        raise ProofError("specialize", f"the step {value}", "0, 1, 2, … or an index")
    if value.free_symbols & _bound(equation.left + equation.right):
        raise ProofError("specialize", f"the index {value}, which a sum already uses", "another index")
    return Proof(proof.hypotheses, (equation.at(value),), "at one step", (proof,), (value,), "", _PERMIT)


def _is_step(value: sp.Expr) -> bool:
    """A number 0, 1, 2, …, or an index that is free to be each of them: one that is declared positive is not."""
    if isinstance(value, sp.Symbol):
        return any(value.assumptions0 == sp.Symbol("t", **known).assumptions0 for known in _INDEX)
    return isinstance(value, sp.Integer) and value >= 0


_INDEX: tuple[dict[str, bool], ...] = ({"integer": True}, {"integer": True, "nonnegative": True})


@_rule("algebra")
def algebra(left: sp.Expr, right: sp.Expr) -> Proof:
    """⊢ left = right, when the equality is proved by normal form, everywhere and without conditions."""
    verdict = prove_equal(left, right)
    if not verdict.holds:
        raise ProofError("algebra", f"{left} = {right} is {verdict}", "an equality that is proved")
    return Proof((), (Equation(left, right),), "algebra", (), (left, right), "", _PERMIT)


@_rule("constant factor rule")
def constant_factor(factor: sp.Expr, loss: sp.Symbol, point: sp.Expr) -> Proof:
    """⊢ ∇(k·L)(p) = k·∇L(p), when k does not depend on the parameters: the gradient is linear."""
    if not isinstance(loss, sp.Symbol) or loss in factor.free_symbols or factor.free_symbols & _bases(point):
        raise ProofError("constant factor", f"the factor {factor}", "a factor that does not depend on the parameters")
    if factor.atoms(sp.Indexed) or factor.has(Nabla):
        raise ProofError("constant factor", f"the factor {factor}", "a constant")
    left, right = Nabla(factor * loss, point), factor * Nabla(loss, point)
    return Proof((), (Equation(left, right),), "constant factor rule", (), (factor, loss, point), "", _PERMIT)


def _bases(point: sp.Expr) -> set[sp.Basic]:
    return {s for s in point.free_symbols if not (isinstance(s, sp.Symbol) and s.is_integer)}


@_rule("put equals for equals")
def rewrite(equal: Proof, into: Proof) -> Proof:
    """From ⊢ a = b and ⊢ P: ⊢ P with every a on its right sides replaced by b."""
    (equation,) = equal.equations
    if equation.over is not None or any(e.over is not None for e in into.equations):
        raise ProofError("rewrite", "a statement about every step", "statements at one step")
    if any(_shielded(equation, e.right) for e in into.equations):
        raise ProofError("rewrite", f"{equation} under a sum or a gradient", "an equality that holds for every bound index")
    changed = tuple(Equation(e.left, e.right.xreplace({equation.left: equation.right})) for e in into.equations)
    return Proof(_join(equal, into), changed, "put equals for equals", (equal, into), (), "", _PERMIT)


def _shielded(equation: Equation, inside: sp.Expr) -> bool:
    """True where the equality of two values says too little: below the sum that binds one of its indices (it holds for one
    index, not for all), and in the function of a gradient (equal values at a point are no equal functions)."""
    free = equation.left.free_symbols | equation.right.free_symbols
    return bool(_bound(inside) & free) or any(n.loss.has(equation.left) for n in inside.atoms(Nabla))


def _bound(expr: sp.Expr) -> set[sp.Symbol]:
    return {i for node in expr.atoms(*BINDERS) for i, _, _ in limits(node)}


@_rule("same right side")
def same_right(first: Proof, second: Proof) -> Proof:
    """From ⊢ a = c and ⊢ b = d where c and d are equal by algebra: ⊢ a = b."""
    (one,), (two,) = first.equations, second.equations
    if one.over is not None or two.over is not None:
        raise ProofError("same right side", "a statement about every step", "statements at one step")
    if one.right != two.right and not prove_equal(one.right, two.right).holds:
        raise ProofError("same right side", f"{one.right} and {two.right}", "two right sides that are proved equal")
    return Proof(_join(first, second), (Equation(one.left, two.left),), "same right side", (first, second), (), "", _PERMIT)


@_rule("induction")
def induction(*parts: Any) -> Proof:
    """From ⊢ A(0) and, under the hypothesis A(t), ⊢ A(t + 1): ⊢ A(t) for all t. A may be several equations at once.

    ``parts`` are the proofs of the base cases, the proofs of the steps, then the index t and the equations A(t).
    """
    *proofs, t, claims = parts
    count = len(claims)
    bases, steps = proofs[:count], proofs[count:]
    if len(proofs) != 2 * count or not (isinstance(t, sp.Symbol) and _is_step(t)):
        raise ProofError("induction", f"{len(proofs)} proofs over {t}",
                         f"an index, a base and a step for each of {count} equations")
    if any(claim.over is not None for claim in claims):
        raise ProofError("induction", "a hypothesis about every step", "a claim about the step t alone")
    for claim, base, step in zip(claims, bases, steps, strict=True):
        wanted = Equation(claim.left, claim.right, t)
        if base.equations != (wanted.at(sp.S.Zero),) or step.equations != (wanted.at(t + 1),):
            raise ProofError("induction", "a base or step of another statement", str(claim))
    rest = tuple(h for h in _join(*steps) if h not in claims)
    every = tuple(dict.fromkeys((*_join(*bases), *rest)))
    if any(t in (h.left.free_symbols | h.right.free_symbols) - {h.over} for h in every):
        raise ProofError("induction", f"a hypothesis about one particular {t}", "the induction hypothesis alone")
    done = tuple(Equation(c.left, c.right, t) for c in claims)
    return Proof(every, done, "induction", tuple(proofs), (t, tuple(claims)), "", _PERMIT)


def both(proofs: Sequence[Proof]) -> tuple[Equation, ...]:
    """The equations of several proofs."""
    return tuple(e for p in proofs for e in p.equations)
