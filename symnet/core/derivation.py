"""A Derivation: a program, its gradient program and the steps that made it. The shown step is the computed step."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sympy as sp

from symnet.core.expressions import Limits
from symnet.core.later import Later, MadeLater
from symnet.core.latex import aligned, definition_latex
from symnet.core.own_symbols import SympyObject, in_own, named_by, put_in
from symnet.core.program import Assumption, Definition, Program
from symnet.core.readings import CompiledGradients, ExactValues
from symnet.core.short_forms import LINES, WIDTH, cut, listed, short, short_lines
from symnet.core.signatures import checked
from symnet.core.tensors import Tensor
from symnet.core.text import definition_text, short_text
from symnet.core.verbs import verb
from symnet.errors import NameError_, ShapeError, UnknownKeyError, did_you_mean, shown


class Rule(StrEnum):
    """The rule a step used; reports hold the sentence for each."""

    CHAIN = "chain rule"
    SUM_OVER_USES = "chain rule, summed over all uses"
    LINEAR = "chain rule through a linear map"
    ELEMENTWISE = "chain rule, entry by entry"
    BROADCAST = "a value used many times collects the sum"
    DIRECT = "differentiate the objective directly"
    SUBSTITUTED = "chain rule, with an earlier gradient put in and cancelled"
    BOUNDARY = "chain rule at the end of an axis"
    RECURRENCE = "chain rule along the recurrence"
    DETERMINANT = "derivative of a determinant"
    INVERSE = "derivative of an inverse"
    SYMMETRIC = "gradient by a symmetric matrix"
    ABSENT = "the objective does not depend on it"
    STOPPED = "a stop-gradient stands on every path to it"


@dataclass(frozen=True, slots=True)
class Contribution:
    """One term of a chain-rule sum: Σ over ``sums`` of [``conditions``] ``upstream`` · ``local``.

    ``through`` is the definition v[i] := f whose right side uses the differentiated tensor u, at the ``occurrences`` (as they stand in
    f). ``upstream`` is the gradient of v at the place P that it names, ∂L/∂v[P], or 1 when ``through`` is the objective itself.
    ``local`` is the *whole* partial derivative ∂v[P]/∂u[α] of that right side, all its uses of u[α] together and nothing else held:
    an exact expression whose free indices are those of the step's definition (α; for a Jacobian the objective's before them) and
    those of ``sums``. It is read where ``conditions`` hold; elsewhere the place P may not exist.

    The law, for every α of the step: the places P that ``sums`` and ``conditions`` name over all contributions with one ``through``
    are different places, each named once, and ∂v[i]/∂u[α] = 0 at every other place of ``through``. So Σ upstream · local is the
    chain rule, and ``local`` alone is what moving u[α] does to v[P] while everything else that ``through`` uses is held still.
    Uses that meet at some places (softmax: the numerator's j and each j' of the denominator) are one contribution whose ``local``
    tells them apart with brackets: ∂p[n, k]/∂z[n, j] = p[n, k]·([k = j] - p[n, j]).
    """

    through: Definition
    occurrences: tuple[sp.Expr, ...]
    upstream: sp.Expr
    local: sp.Expr
    sums: tuple[Limits, ...] = ()
    conditions: tuple[sp.Basic, ...] = ()


@dataclass(frozen=True, slots=True)
class StepCheck:
    """What an independent check of a step found: ``worst`` is the largest difference, a decimal, over ``entries`` entries.

    It is evidence at a few exact points (``points`` of them), not a proof; ``sizes`` are the sizes at the first, all different.
    ``contradicted`` says that
    the step is wrong: a step that is neither ok nor contradicted could not be checked, for the ``reason`` given.
    """

    ok: bool
    sizes: tuple[tuple[str, int], ...]
    entries: int
    worst: str
    reason: str = ""
    contradicted: bool = False
    points: int = 1

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        said = f"ok at {self.entries} entries, the largest difference {self.worst}" if self.ok else self.reason
        return short(f"StepCheck: {'wrong: ' if self.contradicted else '' if self.ok else 'not checked: '}{said}", 2 * WIDTH)


@dataclass(frozen=True)
class Step:
    """The gradient of ``of``: one definition, the contributions it was summed from, and the rule's name.

    ``raw`` is the chain-rule sum as computed, ``definition.expr`` the same after folding, and ``inlined`` names earlier
    gradients that were put in because that was shorter; ``smooth`` are the u for which the line takes, at u = 0, the slope on which both
    sides agree, where the sum of the conventions is another; ``unassumed`` is the line before declared
    ``assumptions`` were used, where they were. ``live`` is False when nothing needs this line any more.

    >>> import symnet as sn
    >>> step = sn.derive(sn.program("L = (w*x - y)**2"), wrt="w").steps[0]
    >>> step.rule.value, step.uses, step.check().ok
    ('differentiate the objective directly', ('x', 'y', 'w'), True)
    """

    number: int
    of: Tensor
    definition: Definition
    rule: Rule
    contributions: MadeLater[tuple[Contribution, ...]] = MadeLater()  # noqa: RUF009 - a field of each step, not a value of all
    raw: MadeLater[sp.Expr] = MadeLater()  # noqa: RUF009
    inlined: tuple[str, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    conditions: tuple[str, ...] = ()
    live: bool = True
    unassumed: sp.Expr | None = None
    smooth: tuple[sp.Expr, ...] = ()
    derivation: Derivation | None = field(default=None, repr=False, compare=False)

    @property
    def target(self) -> Tensor:
        """The gradient tensor this step defines."""
        return self.definition.target

    @property
    def expression(self) -> sp.Expr:
        """The right side, folded."""
        return self.definition.expr

    @property
    def uses(self) -> tuple[str, ...]:
        """The names the right side uses, in order."""
        return self.definition.uses

    def within(self, derivation: Derivation) -> Step:
        """The same step, held by another derivation."""
        held = copy.copy(self)
        object.__setattr__(held, "derivation", derivation)
        return held

    @property
    def identity(self) -> tuple[int, ...]:
        """The objects that the step is made of, whatever derivation holds it; what is not made yet stays so."""
        return tuple(id(part) for name, part in vars(self).items() if name != "derivation")

    @property
    def looked_at(self) -> bool:
        """False while what the step is summed from was not asked for; then it is that of another step, with other names."""
        return all(not isinstance(part, Later) or part.is_made for part in vars(self).values())

    def __repr__(self) -> str:
        lines = short_text(self.definition, self.derivation.full.tensors if self.derivation else None)
        return "\n".join(map(cut, [f"Step {self.number}: {self.rule}" + ("" if self.live else ", needed by no other"), f"  {lines}"]))

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {definition_latex(self.definition, self.derivation.full.tensors if self.derivation else None)}$"

    def check(self) -> StepCheck:
        """Verify all that this step says against high-precision differences of the forward program, at small, different sizes."""
        return _check_step(self.derivation, self)


@dataclass(frozen=True)
class Formula:
    """A gradient as a formula in named intermediates: one definition, or several slices.

    >>> import symnet as sn
    >>> d = sn.derive(sn.program("L = (w*x - y)**2"), wrt="w")
    >>> print(d.gradients["w"])
    dL_dw = 2*x*(w*x - y)
    >>> d.gradients["w"].expr, d.gradients["w"].shape
    (2*x*(w*x - y), ())
    """

    definitions: tuple[Definition, ...]
    tensors: Mapping[str, Tensor] = field(default_factory=dict, repr=False, compare=False)
    symbols: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def target(self) -> Tensor:
        """The tensor that the formula defines."""
        return self.definitions[0].target

    @property
    def expr(self) -> sp.Expr:
        """The right side; of the first slice when there are several."""
        return self.definitions[0].expr

    @property
    def shape(self) -> tuple[sp.Expr, ...]:
        """The shape, that of the variable."""
        return self.target.shape

    def latex(self) -> str:
        """LaTeX of the formula, in index notation."""
        return r" \quad ".join(definition_latex(d, self.tensors) for d in self.definitions)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    @property
    def free_symbols(self) -> set[Any]:
        """The symbols of the right side, as SymPy's own objects have them."""
        found: set[Any] = self._sympy_().free_symbols
        return found

    def _latex(self, printer: Any, *args: Any, **options: Any) -> str:
        """What ``sp.latex`` prints."""
        return self.latex()

    def _sympy_(self) -> sp.Expr:
        """The right side, for ``sp.sympify`` and for arithmetic with SymPy's own objects. Raises ShapeError for several slices."""
        if len(self.definitions) > 1:
            raise ShapeError(self.target.name, f"{len(self.definitions)} lines, for different places", "a formula of one line",
                             "formula.definitions")
        return in_own(self.expr, self.symbols)

    def __str__(self) -> str:
        return "\n".join(definition_text(d, self.tensors) for d in self.definitions)

    def __repr__(self) -> str:
        return "\n".join(short_lines([short_text(d, self.tensors) for d in self.definitions]))


class Gradients(Mapping[str, Formula]):
    """The gradients by the name of what was differentiated by. Raises UnknownKeyError, with what was likely meant."""

    def __init__(self, formulas: Mapping[str, Formula], symbols: Mapping[str, Any] | None = None) -> None:
        self._formulas, self._symbols = dict(formulas), symbols or {}

    def __getitem__(self, name: str | SympyObject) -> Formula:
        name = named_by(name, self._symbols)
        if not isinstance(name, str) or name not in self._formulas:
            raise UnknownKeyError("gradients", f"no gradient of {shown(name)}", "one of " + ", ".join(self._formulas),
                                  did_you_mean(name, self._formulas))
        return self._formulas[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._formulas)

    def __len__(self) -> int:
        return len(self._formulas)

    def __str__(self) -> str:
        return "\n".join(map(str, self._formulas.values()))

    def __repr__(self) -> str:
        return "\n".join(short_lines([line for f in self._formulas.values() for line in repr(f).split("\n")]))

    def _repr_latex_(self) -> str:
        rows = [f.latex().replace(" = ", " &= ", 1) for f in self._formulas.values()]
        return r"$$\begin{aligned} " + r" \\ ".join(rows) + r" \end{aligned}$$"


@dataclass(frozen=True)
class Derivation:
    """A forward program, its gradients, and the steps.

    ``program`` is the forward Program; ``full`` the same with the gradient lines appended, which is what is compiled;
    ``wrt`` the names differentiated; ``gradients[name]`` a Formula.

    >>> import symnet as sn
    >>> d = sn.derive(sn.program("z = w*x", "L = (z - y)**2"), wrt="w")
    >>> d
    Derivation of L by w (2 steps)
      z = w*x
      L = (z - y)**2
      dL_dw = dL_dz*x
    >>> d.closed_form("w"), d.at({"w": 1, "x": 2, "y": 3}).exact("dL_dw")
    (2*x*(w*x - y), -4)
    """

    program: Program
    full: Program
    wrt: tuple[str, ...]
    steps: tuple[Step, ...]
    names: Mapping[str, str]
    conventions: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """The steps point to the derivation that holds them, also after ``dataclasses.replace``."""
        object.__setattr__(self, "steps", tuple(s.within(self) for s in self.steps))

    def __repr__(self) -> str:
        forward = [f"  {short_text(d, self.full.tensors)}" for d in self.program.definitions]
        backward = [f"  {short_text(d, self.full.tensors)}" for name in self.wrt for d in self.gradients[name].definitions]
        room = (LINES - 1) // 2
        first = cut(f"Derivation of {self.objective} by {listed(self.wrt, 40)} ({len(self.steps)} steps)")
        return "\n".join([first, *short_lines(forward, LINES - 1 - min(room, len(backward))), *short_lines(backward, room)])

    def _repr_latex_(self) -> str:
        return f"$${aligned(self.full, [d for name in self.wrt for d in self.gradients[name].definitions])}$$"

    @property
    def objective(self) -> str:
        """The name of what was differentiated."""
        return self.program.objective

    @property
    def gradients(self) -> Gradients:
        """Each gradient, in named intermediates."""
        return Gradients({name: Formula(self.full.by_name[self.names[name]], self.full.tensors, self.program.symbols) for name in self.wrt},
                         self.symbols)

    @property
    def symbols(self) -> dict[str, Any]:
        """The SymPy object behind each name: a Symbol for a number or a size, an IndexedBase for an array; the user's own where a program
        was made from SymPy."""
        known = {t.name: t.base for t in self.program.tensors.values()} | {str(s): s for s in self.program.sizes}
        return {name: self.program.symbols.get(name, base) for name, base in known.items()}

    @checked
    def gradient_name(self, name: str) -> str:
        """The name of the gradient tensor of ``name``: "dL_dw1" for "w1"."""
        if name not in self.names:
            raise NameError_("derivation", f"no gradient of {shown(name)}", "one of " + ", ".join(self.names),
                             did_you_mean(name, self.names))
        return self.names[name]

    @checked
    def closed_form(self, name: str | SympyObject, subs: Mapping[Any, Any] | None = None, own: bool = True) -> sp.Expr:
        """The gradient with every intermediate put in, an expression in the inputs alone, written with ``symbols``.

        ``subs`` puts exact numbers, or expressions, in for names or symbols: ``{"x": 2, "w": "1/3"}``. ``own=False`` keeps the engine's
        symbols where a user's own stand for them.
        """
        made = _closed_form(self, named_by(name, self.symbols))
        made = in_own(made, self.program.symbols) if own else made
        return made if subs is None else put_in(made, subs, self.symbols)

    @checked
    def lambdify(self, name: str | SympyObject, modules: Any = "numpy", args: Iterable[Any] | None = None) -> Callable[..., Any]:
        """A Python function that computes the gradient by ``name`` (or the line of that name) from the inputs, in the program's order or
        that of ``args``; ``modules`` as for ``sp.lambdify``. Arrays are indexed from 0.

        >>> import symnet as sn
        >>> sn.derive(sn.program("L = (w*x - 1)**2"), wrt=["w"]).lambdify("w", "math", args=["w", "x"])(2, 3)
        30
        """
        return _lambdify(self, named_by(name, self.symbols), modules, args)


    @checked
    def instantiate(self, sizes: Mapping[str, int] | None = None) -> Derivation:
        """The same derivation at integer sizes, every tensor entry a scalar such as w_{11}^{(1)}."""
        return _instantiate(self, sizes or {})

    @checked
    def at(self, values: Mapping[Any, Any] | None = None, sizes: Mapping[str, int] | None = None) -> ExactValues:
        """Exact values of every line, forward and backward, at a point."""
        given = {named_by(name, self.symbols): value for name, value in (values or {}).items()}
        return _evaluate(self.full, {**self.values, **given}, sizes or {})

    @checked
    def compile(self, backend: str = "numpy", dtype: str = "float64", check: bool = True) -> CompiledGradients:
        """A function ``loss, grads = f(params, X, Y)``. Every step is checked before; ``check=False`` leaves that out.

        ``backend="math"``, for programs of numbers alone, computes with Python's floats; ``backend="c"`` through the system's C
        compiler, for each choice of sizes anew. ``f.bind(params, X, Y)`` checks once and is then called without arguments.
        """
        return _compile(self, backend, dtype, check)

    def again(self, program: Program) -> Derivation:
        """The same derivation of another program: one with the same inputs and objective, and more lines between."""
        return _derive_again(self, program)

    def check(self) -> tuple[StepCheck, ...]:
        """Every step checked, once. Raises FaultError where one is contradicted: a fault of symnet, on which nothing may be built."""
        return _check_derivation(self)


# The verbs that live in other rooms; core imports none of them.
_check_step: Callable[[Derivation | None, Step], StepCheck] = verb("check_step")
_check_derivation: Callable[[Derivation], tuple[StepCheck, ...]] = verb("check_derivation")
_closed_form: Callable[[Derivation, str], sp.Expr] = verb("closed_form")
_instantiate: Callable[[Derivation, Mapping[str, int]], Derivation] = verb("instantiate")
_evaluate: Callable[[Program, Mapping[str, Any], Mapping[str, int]], ExactValues] = verb("evaluate")
_lambdify: Callable[[Derivation, str, Any, Iterable[Any] | None], Callable[..., Any]] = verb("lambdify")
_compile: Callable[[Derivation, str, str, bool], CompiledGradients] = verb("compile")
_derive_again: Callable[[Derivation, Program], Derivation] = verb("derive_again")
