"""The kernel: the only maker of Proof. Seven rules; each makes its conclusion itself, none takes one on trust.

A Proof keeps the rule, the premises and the rule's data, so that ``checks(proof)`` can make it again from nothing. What is compared is
plain data (``core/plain``): every line is written down as tuples of text and whole numbers, each node by the exact class it has, and new
objects are made from that; no method of the object that is judged is called. So a Proof that was not made here, or was changed
afterwards by whatever means, does not check: not by subclasses with their own ``__eq__``, not by values hidden in SymPy's cache or in an
object's own attributes, not by a pickle, and not while SymPy or the equality prover is patched. What Python cannot stop is somebody
who replaces the functions of this module in memory: run a fresh process to be sure. Source for the manner: Milner's LCF (Gordon,
Milner & Wadsworth 1979).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

import sympy as sp
from sympy.core.cache import clear_cache

from symnet.core import plain_data as plain
from symnet.core.claim import Equation, ProofLine
from symnet.core.expressions import BINDERS, Nabla, limits
from symnet.core.short_forms import short_lines
from symnet.core.verdict import Answer, Verdict
from symnet.equality.compare import prove_equal
from symnet.errors import ProofError, UnknownNodeError

_PERMIT = object()  # held by this module alone


@dataclass(frozen=True, slots=True)  # slots: no instance can have a check() of its own
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

    def __repr__(self) -> str:
        return "\n".join(short_lines([f"Proof by {self.rule}", *[f"  {e}" for e in self.equations]]))

    def __init_subclass__(cls) -> None:
        raise ProofError("proof", f"{cls.__name__}, another kind of proof", "a proof made by the kernel's rules")

    def check(self) -> bool:
        """Make every line again by its rule and compare. True only when all agree."""
        return checks(self)

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


def checks(proof: Any) -> bool:
    """True when ``proof`` is a Proof every line of which its rule makes again. Ask this rather than an object you do not know."""
    try:
        clear_cache()  # SymPy's: what is made again must be new
        return dict(_watched()) == _WATCHED and _again(proof, {}) is not None
    except Exception:  # an object that was tampered with may raise anything, and is no proof
        return False


def _again(proof: Any, done: dict[int, Proof | None]) -> Proof | None:
    """The proof made anew, from its plain data alone; None when something else comes out."""
    if id(proof) in done:
        return done[id(proof)]
    done[id(proof)] = None  # a proof that uses itself does not check
    if type(proof) is not Proof or any(type(part) is not tuple for part in (
            proof.premises, proof.data, proof.hypotheses, proof.equations)) or type(proof.rule) is not str or type(proof.note) is not str:
        return None
    premises = [_again(p, done) for p in proof.premises]
    if None in [p if p is None else "" for p in premises]:
        return None
    again = _RULES[proof.rule](*premises, *map(_new, proof.data))
    same = set(written(again.hypotheses)) == set(written(proof.hypotheses)) and written(again.equations) == written(proof.equations)
    done[id(proof)] = again if same else None
    return done[id(proof)]


def written(value: Any) -> plain.Plain:
    """An equation, an expression, or a tuple of them as plain data. Raises ProofError for anything else."""
    try:
        if type(value) is Equation:
            over = () if value.over is None else plain.encode(value.over)
            return ("equation", plain.encode(value.left), plain.encode(value.right), over)
        return tuple(written(v) for v in value) if type(value) is tuple else plain.encode(value)
    except UnknownNodeError as error:
        raise ProofError("proof", error.found, error.expected) from None


def _new(value: Any) -> Any:
    """The same thing made from its plain data."""
    try:
        if type(value) is Equation:
            return Equation(*[v if v is None else plain.decode(plain.encode(v)) for v in (value.left, value.right, value.over)])
        return tuple(_new(v) for v in value) if type(value) is tuple else plain.decode(plain.encode(value))
    except UnknownNodeError as error:
        raise ProofError("proof", error.found, error.expected) from None


def _watched() -> Iterator[tuple[tuple[str, str], tuple[int, int]]]:
    """What a check relies on beside this file: the methods of SymPy's nodes, and the functions and classes that prove equalities."""
    own = (v for module in _MODULES for v in vars(module).values() if isinstance(v, type) and v.__module__ == module.__name__)
    owners: list[Any] = [*_MODULES, *dict.fromkeys(base for cls in (*plain.CLASSES, *own) for base in cls.__mro__[:-1])]
    for owner in owners:
        name = f"{getattr(owner, '__module__', '')} {getattr(owner, '__qualname__', owner.__name__)}"  # a module, or a class in one
        for key, value in list(vars(owner).items()):
            if isinstance(value, (FunctionType, property, classmethod, staticmethod, type)) and not key.startswith(("_repr_", "__repr__")):
                yield (name, key), (id(value), id(getattr(value, "__code__", None)))


def _make(rule: str, hypotheses: Sequence[Equation], equations: Sequence[Equation], premises: tuple[Proof, ...] = (),
          data: tuple[Any, ...] = (), note: str = "") -> Proof:
    """A line; what it says is made new, so that it says what it shows."""
    if any(type(p) is not Proof for p in premises):
        raise ProofError("proof", "a premise that is no proof", "a proof made by the kernel's rules")
    return Proof(_new(tuple(hypotheses)), _new(tuple(equations)), rule, premises, _new(data), note, _PERMIT)


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
    return _make(proof.rule, proof.hypotheses, proof.equations, proof.premises, proof.data, note)


@_rule("given")
def given(equation: Equation) -> Proof:
    """{A} ⊢ A."""
    return _make("given", (equation,), (equation,), (), (equation,))


@_rule("at one step")
def specialize(proof: Proof, value: sp.Expr) -> Proof:
    """From ⊢ A for all t: ⊢ A at t = value, a nonnegative integer or an index."""
    (equation,), value = proof.equations, _new(value)
    if equation.over is None:
        raise ProofError("specialize", "no 'for all'", "a statement about every step")
    if not _is_step(value):
        raise ProofError("specialize", f"the step {value}", "0, 1, 2, … or an index")
    if value.free_symbols & _bound(equation.left + equation.right):
        raise ProofError("specialize", f"the index {value}, which a sum already uses", "another index")
    return _make("at one step", proof.hypotheses, (equation.at(value),), (proof,), (value,))


def _is_step(value: sp.Expr) -> bool:
    """A number 0, 1, 2, …, or an index that is free to be each of them: one that is declared positive is not."""
    if isinstance(value, sp.Symbol):
        return any(value.assumptions0 == sp.Symbol("t", **known).assumptions0 for known in _INDEX)
    return isinstance(value, sp.Integer) and value >= 0


_INDEX: tuple[dict[str, bool], ...] = ({"integer": True}, {"integer": True, "nonnegative": True})


@_rule("algebra")
def algebra(left: sp.Expr, right: sp.Expr) -> Proof:
    """⊢ left = right, when the equality is proved by normal form, everywhere and without conditions."""
    left, right = _new(left), _new(right)
    verdict = prove_equal(left, right)
    if not _holds(verdict):
        raise ProofError("algebra", f"{left} = {right} is {verdict}", "an equality that is proved")
    return _make("algebra", (), (Equation(left, right),), (), (left, right))


def _holds(verdict: Any) -> bool:
    return type(verdict) is Verdict and verdict.answer is Answer.PROVED


@_rule("constant factor rule")
def constant_factor(factor: sp.Expr, loss: sp.Symbol, point: sp.Expr) -> Proof:
    """⊢ ∇(k·L)(p) = k·∇L(p), when k does not depend on the parameters: the gradient is linear."""
    factor, loss, point = _new(factor), _new(loss), _new(point)
    if not isinstance(loss, sp.Symbol) or loss in factor.free_symbols or factor.free_symbols & _bases(point):
        raise ProofError("constant factor", f"the factor {factor}", "a factor that does not depend on the parameters")
    if factor.atoms(sp.Indexed) or factor.has(Nabla):
        raise ProofError("constant factor", f"the factor {factor}", "a constant")
    left, right = Nabla(factor * loss, point), factor * Nabla(loss, point)
    return _make("constant factor rule", (), (Equation(left, right),), (), (factor, loss, point))


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
    return _make("put equals for equals", _join(equal, into), changed, (equal, into))


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
    if one.right != two.right and not _holds(prove_equal(one.right, two.right)):
        raise ProofError("same right side", f"{one.right} and {two.right}", "two right sides that are proved equal")
    return _make("same right side", _join(first, second), (Equation(one.left, two.left),), (first, second))


@_rule("induction")
def induction(*parts: Any) -> Proof:
    """From ⊢ A(0) and, under the hypothesis A(t), ⊢ A(t + 1): ⊢ A(t) for all t. A may be several equations at once.

    ``parts`` are the proofs of the base cases, the proofs of the steps, then the index t and the equations A(t).
    """
    *proofs, t, claims = parts
    t, claims = _new(t), _new(tuple(claims))
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
    return _make("induction", every, done, tuple(proofs), (t, claims))


def both(proofs: Sequence[Proof]) -> tuple[Equation, ...]:
    """The equations of several proofs."""
    return tuple(e for p in proofs for e in p.equations)


_MODULES: tuple[ModuleType, ...] = tuple(
    sys.modules[name] for name in sorted(sys.modules) if name.startswith(("symnet.equality.", "symnet.core.")))
_WATCHED = dict(_watched())  # as it was when this module was loaded
