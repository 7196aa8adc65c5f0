"""What a name on somebody's page stands for: a symbol, an intermediate, dLoss/dw2, da2/dz2, sigmoid'(z), w1', the page's own e.

Every such name is an atom, a SymPy symbol. ``local(atom)`` is its definition in other atoms (z2 = w2 a1 + b2, da2/dz2 = a2 (1 - a2)),
``truth(expression)`` puts definitions in until only the inputs are left, ``value`` the numbers too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

import sympy as sp
from flint import ctx, fmpq

from symnet.calculus import derive
from symnet.calculus.closed import closed_scalars
from symnet.checking.domains import answer_holes, aside_of, asked_aside, domain_of
from symnet.checking.local_slopes import activation_of, direct_slope, local_slope
from symnet.checking.pages.printed_latex import read_latex
from symnet.core.derivation import Derivation
from symnet.core.functions import BY_NAME
from symnet.core.numbers import compute
from symnet.core.program import Definition, Hole
from symnet.core.tensors import Tensor, free_name, same_name
from symnet.equality.domain import Domain, Holes
from symnet.equality.domain_conditions import indexed_holes
from symnet.errors import NameError_, ParseError, ShapeError, SymnetError, did_you_mean
from symnet.indexing.index_array import IndexArray
from symnet.parsing.claim_prefix import LOSSES
from symnet.parsing.functions import FUNCTIONS
from symnet.parsing.lowering import CONSTANTS
from symnet.parsing.naming import factorings, is_one_letter
from symnet.parsing.program import expression, free_names
from symnet.parsing.tokens import MAX_LENGTH, plain
from symnet.parsing.written_slopes import slope_parts, with_slopes

PRIME_CALL = re.compile(r"\b([a-z]\w*)'\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)")
GRADIENT = re.compile(r"(?:d|grad_?)([A-Za-z]\w*)|([A-Za-z]\w*?)_grad")
PRIME = re.compile(r"\b([A-Za-z]\w*)'")
NEW = re.compile(r"([A-Za-z]\w*?)(?:'|_new)((?:_\d+)*)\Z")
TWO_READINGS = "a slope such as dL/dw, or a new value such as L_new"
RATE = ("alpha", "eta", "lr", "learning_rate")
SAME = {"sigma": "sigmoid", "ReLU": "relu", "ln": "log", "expit": "sigmoid"}


class Names:
    """The atoms of one page for a derivation of numbers, and what the page defines itself (``own``)."""

    def __init__(self, derivation: Derivation) -> None:
        self.derivation, self.program = derivation, derivation.program
        self.all = derive(self.program, [t for t in self.program.tensors if t != self.program.objective])
        self.point: dict[sp.Basic, sp.Expr] = {self.program[n][()]: v for n, v in derivation.values.items() if not self.program[n].axes}
        self.tensors: dict[str, Tensor] = dict(self.all.full.tensors)
        self.own: dict[str, sp.Expr] = {}
        self.parts: dict[tuple[str, str], Derivation] = {}
        self._local: dict[sp.Basic, sp.Expr] = {d.entry: d.expr for d in self.all.full.definitions}
        self._later: dict[sp.Basic, tuple[str, str]] = {}  # slopes that are derived once they are asked for
        self._closed: dict[sp.Basic, sp.Expr] = {}
        self._dropped: dict[sp.Expr, tuple[Hole, ...]] = {}  # what a text asked for and what was read no longer shows
        self.direct: dict[sp.Basic, sp.Symbol] = {}  # an atom of a slope -> that of one line alone, which may be meant as well
        self.called: dict[sp.Basic, str] = {}  # an atom as the page calls it
        rate = derivation.meta.get("learning_rate")
        self.rate = Tensor(free_name("alpha", self.tensors))
        if rate is not None:
            self.point[self.rate[()]] = rate

    def atom(self, name: str) -> sp.Symbol:
        """The atom of a name as it is written on the page. Raises NameError_ for a name nobody defined."""
        name = plain(name.replace("∂", "d")).strip()
        slope = slope_parts(name)
        new = NEW.fullmatch(name)
        if slope:
            found = self.slope(*slope)
        elif new and name not in self.tensors:
            if name.endswith("'") and self.known(new[1] + new[2]) in self.program.by_name:
                raise NameError_("line", f"{name}, which may be a slope or a new value", TWO_READINGS)
            found = self.updated(new[1] + new[2])
        else:
            found = self._plain(name)
        self.called.setdefault(found, name.replace(" ", ""))
        return found

    def known(self, name: str) -> str | None:
        """The tensor that a plain name stands for: w_1 and w1 are one name, Loss is the objective."""
        found = same_name(name, self.tensors)
        if found is not None:
            return found
        if name.lower() in RATE and not any(r in self.tensors for r in (name, name.lower())) and (self.has_rate or name == "learning_rate"):
            return self.rate.name
        return self.derivation.objective if name in LOSSES else None

    @property
    def has_rate(self) -> bool:
        """True when there is a learning rate."""
        return self.rate[()] in self.point

    def _plain(self, name: str) -> sp.Symbol:
        known = self.known(name)
        if known == self.rate.name:
            return self.rate[()]
        if known is None:
            below = self.delta(name) or self._gradient(name)
            if below:
                return self.slope(self.derivation.objective, below)
        if known is None:
            shown = [n for n, t in self.tensors.items() if not t.of and not n.endswith(("_new", "_"))]
            near = did_you_mean(name, [*shown, *FUNCTIONS])
            raise NameError_("line", f"nobody defined {name!r}", "a name of the worksheet or of the lines above",
                             near if near.startswith("did") else did_you_mean(name, shown))
        if self.tensors[known].axes:
            raise ShapeError("line", f"{name!r} is an array", "a single number")
        return self.tensors[known][()]

    def slope(self, above: str, below: str) -> sp.Symbol:
        """The atom of d above / d below."""
        a, b = self._plain(above), self._plain(below)
        if str(a) == self.derivation.objective and str(b) in self.all.names:
            return self.all.full[self.all.gradient_name(str(b))][()]
        if str(a) not in self.program.by_name and (a in self._local or a in self._later):
            raise NameError_("line", f"the slope of {above!r}", "a line of the worksheet above the fraction", "write out what it is")
        name = f"d{a}_d{b}"
        if name not in self.tensors:
            self._later[Tensor(name)[()]] = str(a), str(b)
            self.tensors[name] = Tensor(name, of=str(b), objective=str(a))
            direct = direct_slope(self.program, str(a), str(b))
            if direct is not None:
                self.direct[self.tensors[name][()]] = made = Tensor(free_name(f"{name}_direct", self.tensors))[()]
                self._local[made] = direct
        return self.tensors[name][()]

    def _derived(self, above: str, below: str) -> sp.Expr:
        """d above / d below in names of the forward pass; ``below`` is held as given."""
        made, slope = local_slope(self.program, above, below)
        if made is not None:
            self.parts[above, below] = made
        return slope

    def updated(self, name: str) -> sp.Symbol:
        """The atom of a parameter after a step of descent."""
        old = self._plain(name)
        if str(old) in self.program.by_name:
            return self._after_the_step(str(old))
        made = Tensor(free_name(f"{old}_new", self.program.tensors))
        if made.name not in self.tensors:
            if not self.has_rate:
                raise NameError_("line", f"{name}' without a learning rate", "learning_rate in the worksheet")
            self._local[made[()]] = old - self.rate[()] * self.slope(self.derivation.objective, str(old))
            self.tensors[made.name] = made
        return made[()]

    def _after_the_step(self, name: str) -> sp.Symbol:
        """The atom of what is computed, once every parameter has made its step: the new loss."""
        made = Tensor(free_name(f"{name}_new", self.program.tensors))
        if made.name not in self.tensors:
            moved = {self.program[p][()]: self.updated(p) for p in self.derivation.wrt if p not in self.program.by_name}
            self._local[made[()]] = self.truth(self.program[name][()]).xreplace(moved)
            self.tensors[made.name] = made
        return made[()]

    def define(self, name: str, value: sp.Expr) -> sp.Symbol:
        """A name of the page's own."""
        made = Tensor(re.sub(r"\W", "", plain(name)).replace("'", "_new") or "q")
        self.tensors[made.name] = made
        self.own[made.name] = value
        self._local[made[()]] = value
        self._closed = {}
        return made[()]

    def give(self, atom: sp.Symbol, value: sp.Expr) -> None:
        """A number that the page gives for an input."""
        self.point[atom] = value

    def local(self, atom: sp.Basic) -> sp.Expr | None:
        """The definition of an atom in other atoms; None for an input."""
        later = self._later.pop(atom, None)
        if later is not None:
            self._local[atom] = self._derived(*later)
        return self._local.get(atom)

    def truth(self, expr: sp.Expr) -> sp.Expr:
        """``expr`` in the inputs alone."""
        return expr.xreplace({s: self._close(s) for s in expr.free_symbols})

    def _close(self, atom: sp.Basic) -> sp.Expr:
        if atom not in self._closed:
            local = self.local(atom)
            self._closed[atom] = atom if local is None else self.truth(local)
        return self._closed[atom]

    @cached_property
    def domain(self) -> Domain:
        """Where the objective has a value: nothing is wrong for what it says elsewhere."""
        return domain_of(self.all.full, self.program, closed_scalars(self.program))

    def holes(self, expr: sp.Expr) -> Holes:
        """Where ``expr``, as the page wrote it, has no value, though in the inputs alone it shows no such thing."""
        own = {n: (Definition(Tensor(n), (), e, holes=self._dropped.get(e, ())),) for n, e in self.own.items()}
        dropped = self._dropped.get(expr, ())
        asked = (*dropped, *asked_aside((expr, *(u for u, _, _ in dropped)), {**aside_of(self.program), **own}))
        there = {s: self._close(s) for part in (expr, *(u for u, _, _ in asked)) for s in part.free_symbols}
        return answer_holes(expr, asked, there)

    def value(self, expr: sp.Expr) -> sp.Expr | None:
        """The exact value, None where an input has none."""
        return put_in(self.truth(expr), self.point)

    def read(self, text: str, latex: bool = False) -> sp.Expr:
        """An expression of the page, in atoms."""
        if len(text) > MAX_LENGTH:
            raise ParseError("line", f"{len(text)} characters", f"at most {MAX_LENGTH}")
        if not latex:
            return self._text(text)
        try:
            return read_latex(self, text)
        except SymnetError:
            if "\\" in text:
                raise
            return self._text(text.replace("{", "").replace("}", ""))  # $dL/dw_2$ is plain maths between dollars

    def _text(self, text: str) -> sp.Expr:
        table: dict[str, sp.Expr] = {}

        def stand(value: sp.Expr) -> str:
            table[f"known{len(table)}"] = value
            return f" known{len(table) - 1} "

        source = plain(text.replace("∂", "d").replace("⋅", "*"))
        for _ in range(4):
            source = PRIME_CALL.sub(lambda m: stand(self._prime(m[1], self._inner(m[2], table))), source)
        source = with_slopes(source, lambda _, above, below: stand(self.slope(above, below)), placed=False)
        source = PRIME.sub(lambda m: stand(self.atom(m[0])), source)
        return self._inner(source, table)

    def _inner(self, source: str, table: Mapping[str, sp.Expr]) -> sp.Expr:
        names = [n for n in free_names(source, "line") if n not in table]
        values = dict(table) | {n: self._product(n) for n in names}
        values |= {n: self.tensors[n][()] for n in CONSTANTS if n in self.own}
        return self.meant(expression(source, {n: Tensor(n) for n in values}, {}, "line"), {Tensor(n)[()]: v for n, v in values.items()})

    def _product(self, name: str) -> sp.Expr:
        """The atom of a name; wx, where nothing has that name, is w times x."""
        ways = [] if self.known(name) else factorings(name, [n for n, t in self.tensors.items() if not t.of and len(n) == 1])
        return sp.Mul(*map(self.atom, ways[0])) if len(ways) == 1 and len(name) == len(ways[0]) else self.atom(name)

    def meant(self, value: IndexArray, there: Mapping[sp.Basic, sp.Expr]) -> sp.Expr:
        """What was read, in atoms; what its text asks for and this no longer shows is kept for ``holes``."""
        found = value.expr.xreplace(dict(there))
        self._dropped[found] = tuple((u.xreplace(dict(there)), sign, over) for u, sign, over in (*value.holes, *indexed_holes(value.expr)))
        return found

    def _prime(self, function: str, argument: sp.Expr) -> sp.Expr:
        name = SAME.get(function, function)
        below = self.tensors.get(str(argument))
        slope = None if below is None or name in BY_NAME else self.activation(function, below.name)
        if slope is not None:
            return slope
        if name not in BY_NAME or len(BY_NAME[name].derivative) != 1:
            raise NameError_("line", f"no function {function!r}", "one of " + ", ".join(BY_NAME), did_you_mean(function, BY_NAME))
        return BY_NAME[name].derivative[0](argument, BY_NAME[name].function(argument))

    def activation(self, function: str, below: str) -> sp.Symbol | None:
        """The slope g'(z) of a line a = g(z), where that function has no other name than g or a."""
        above = self.known(function) or (activation_of(self.program, below) if is_one_letter(function) else None)
        return None if above is None or above not in self.program.by_name else self.slope(above, below)

    def _gradient(self, name: str) -> str:
        """dw2, grad_w2 and w2_grad are the slope of the loss at w2; "" for anything else."""
        match = GRADIENT.fullmatch(name)
        below = self.known(match[1] or match[2]) if match else None
        return below if below in self.program.tensors and below != self.derivation.objective else ""

    def delta(self, name: str) -> str:
        """delta2 is the slope of the loss at z2, where nobody says otherwise; "" when there is no z2."""
        match = re.fullmatch(r"delta_?(\d*)", name)
        return f"z{match[1]}" if match and f"z{match[1]}" in self.program.by_name else ""


def put_in(expr: sp.Expr, point: Mapping[sp.Basic, sp.Expr]) -> sp.Expr | None:
    """``expr`` at a point, None where a value is missing: a rational, or an expression that SymPy is not asked to work out."""
    if not expr.free_symbols <= point.keys():
        return None
    with ctx.workprec(64):
        found = compute(expr, point)
    if isinstance(found, fmpq):
        return sp.Rational(int(found.p), int(found.q))
    with sp.evaluate(False):
        return expr.xreplace(dict(point))
