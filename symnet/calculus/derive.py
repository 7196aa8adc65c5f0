"""Program -> Derivation: the gradient of the objective with respect to every tensor between it and the wanted ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import sympy as sp

from symnet.calculus.chain import Term, terms_of
from symnet.calculus.contributions import contributions
from symnet.calculus.inlining import inline, may_cancel
from symnet.calculus.layers import KnownShapes
from symnet.calculus.one_sided import OneSided
from symnet.calculus.pieces import Piece, pieces
from symnet.calculus.rules import conditions_of, rule_of
from symnet.calculus.simplification import class_facts, implied, tidy
from symnet.calculus.stopping import ancestors, flows
from symnet.core.derivation import Contribution, Derivation, Rule, Step
from symnet.core.expressions import as_written, entries
from symnet.core.functions import conventions, sum_of_squares
from symnet.core.index_letters import Labels, extend, relabel
from symnet.core.program import Definition, Program
from symnet.core.structures import MIRRORED
from symnet.core.tensors import Role, Tensor, entry_indices, free_name, tensor_name
from symnet.errors import DomainError, NameError_, OptionError, ShapeError, did_you_mean, shown


def derive(program: Program, wrt: str | Iterable[str] | None = None) -> Derivation:
    """The gradient of the program's objective with respect to ``wrt`` (default: its parameters, or else its inputs).

    Gradients have the shape of the variable. Every step is the computed object: ``steps[k].definition`` is the line that
    is compiled. Raises NameError_ for an unknown name and ShapeError when the objective is not a scalar.

    >>> from symnet.core.program import define
    >>> from symnet.core.tensors import scalar
    >>> w, x = scalar("w"), scalar("x")
    >>> d = derive(Program((w, x), (define(Tensor("L"), expr=(w[()] * x[()] - 1) ** 2),)), wrt=["w"])
    >>> print(d.gradients["w"].expr)
    2*x*(w*x - 1)
    """
    if program.objective_tensor.axes:
        raise ShapeError(f"objective {program.objective}", f"shape {program.objective_tensor.shape}", "a scalar",
                         "sum or average it, or take its jacobian")
    names = _wanted(program, wrt)
    with as_written():
        return _Builder(program, names).build()


def derive_again(derivation: Derivation, program: Program) -> Derivation:
    """The same derivation of another program: one with the same inputs and objective, and more lines between. Lines that were added to
    the derivation, as ``symmetric`` does, are added again."""
    with as_written():
        made = _Builder(program, derivation.wrt).build()
    added = [replace(s, number=len(made.steps) + k) for k, s in enumerate((s for s in derivation.steps if s.rule is Rule.SYMMETRIC), 1)]
    names = {**made.names, **{s.of.name: s.target.name for s in added}}
    return replace(made, full=made.full.extend([s.definition for s in added]), names=names, steps=(*made.steps, *added),
                   conventions=derivation.conventions, values=derivation.values, meta=derivation.meta)


def _reached(name: str, users: Mapping[str, set[str]]) -> set[str]:
    """All that use a name, by way of others too."""
    found, waiting = set[str](), [name]
    while waiting:
        for v in users[waiting.pop()] - found:
            found.add(v)
            waiting.append(v)
    return found


def names_in(wrt: str | Iterable[str]) -> tuple[str, ...]:
    """The names asked for, each once; a text is one name. Raises OptionError for what holds no names."""
    names = (wrt,) if isinstance(wrt, str) else tuple(wrt) if isinstance(wrt, Iterable) else ()
    if not names or not all(isinstance(name, str) for name in names):
        raise OptionError("derive", f"wrt = {shown(wrt)}", "a name or a list of names", 'wrt="w1" or wrt=["w1", "b1"]')
    return tuple(dict.fromkeys(names))


def _wanted(program: Program, wrt: str | Iterable[str] | None) -> tuple[str, ...]:
    if wrt is None:
        parameters = [t.name for t in program.inputs if t.role is Role.PARAMETER]
        return tuple(parameters or [t.name for t in program.inputs if t.role is not Role.TARGET and t.domain != "index"])
    names = names_in(wrt)
    for name in names:
        if name not in program.tensors:
            raise NameError_("wrt", f"no symbol or definition named {name!r}", "a name of the program",
                             did_you_mean(name, program.tensors))
        if program[name].domain == "index":
            raise DomainError("wrt", f"{name!r}, whose entries are whole numbers", "a tensor of real numbers")
    return names


@dataclass
class _Builder:
    """The working state of one derivation; nothing of it survives."""

    program: Program
    wrt: tuple[str, ...]
    steps: list[Step] = field(default_factory=list)
    made: dict[str, Definition] = field(default_factory=dict)  # gradients with a single slice, by gradient name
    kept_whole: set[str] = field(default_factory=set)  # those that may be put into later lines
    terms: dict[Definition, list[tuple[str, Term]]] = field(default_factory=dict)

    def build(self) -> Derivation:
        self.labels = Labels.of(self.program)
        self.active = _active(self.program, self.wrt)
        declared = (*self.program.assumptions, *class_facts(self.program))
        self.facts = {**{a: a for a in declared}, **implied(self.program)}  # each with what was declared
        order = self._order()
        self.alphas = {u: tuple(sp.Dummy(f"α{d}", integer=True) for d in range(len(self.program[u].axes))) for u in order}
        objective = self.program.objective_tensor
        for axis in objective.axes:
            self.labels.spare(axis.range)
        self.lead = tuple(sp.Dummy(f"β{d}", integer=True) for d in range(len(objective.axes)))  # none for a scalar objective
        self.gradient = {u: self._gradient_tensor(u) for u in dict.fromkeys((*order, *self.wrt))}
        self.one_sided = OneSided(self.program)
        users: dict[str, list[Definition]] = {u: [] for u in order}
        for d in reversed(self.program.definitions):
            if d.name in self.active:
                for u in d.uses:
                    if u in users:
                        users[u].append(d)
        told = {tensor_name(e) for fact in self.facts for e in entries(fact.left)}
        shapes = KnownShapes(self.program, self.gradient, self.alphas, self.kept_whole, told)
        for u in order:
            known = None if self.one_sided.meet or self.lead else shapes.key(u, users[u])
            step = shapes.again(*known, len(self.steps) + 1) if known else None
            if step is not None:
                self._take(step)
                continue
            self._emit(u, [t for d in users[u] for name, t in self._terms(d) if name == u])
            if known and self.steps[-1].target.name in self.made:
                shapes.keep(*known, self.steps[-1])
        self._absent()
        return self._finish()

    def _gradient_tensor(self, name: str) -> Tensor:
        tensor = self.program[name]
        title = free_name(f"d{self.program.objective}_d{name}", self.program.tensors)
        axes = (*self.program.objective_tensor.axes, *tensor.axes)
        return Tensor(title, axes, "real", Role.GRADIENT, of=name, objective=self.program.objective)

    def _order(self) -> list[str]:
        """Backward order: a defined tensor after all that use it, an input right after its earliest user."""
        last = {d.name: k for k, d in enumerate(self.program.definitions)}
        users: dict[str, int] = {}
        for k, d in reversed(list(enumerate(self.program.definitions))):
            if d.name in self.active or d.name == self.program.objective:
                for used in self.program.uses(d.name):
                    users[used] = k
        names = [u for u in self.active if u != self.program.objective]
        position = {t.name: k for k, t in enumerate(self.program.inputs)}
        return self._after_users(sorted(names, key=lambda u: (-last[u], 0, 0) if u in last else (-users[u], 1, position[u])))

    def _after_users(self, names: list[str]) -> list[str]:
        """The order with every name behind all that use it, but for those that use one another: in a recurrence a line may use one that
        stands below it, which does not use it."""
        users: dict[str, set[str]] = {u: set() for u in names}
        for v in names:
            for u in self.program.uses(v) if v in self.program.by_name else ():
                if u in users and u != v:
                    users[u].add(v)
        place = {u: k for k, u in enumerate(names)}
        if all(place[v] < place[u] for u in names for v in users[u]):
            return names
        done = set[str]()
        above = {u: _reached(u, users) for u in names}
        order: list[str] = []
        while len(order) < len(names):
            order.append(next(u for u in names if u not in done and all(v in done or u in above[v] for v in users[u])))
            done.add(order[-1])
        return order

    def _terms(self, d: Definition) -> list[tuple[str, Term]]:
        """What a line adds to the gradients of the tensors that it uses."""
        if d not in self.terms:
            above = None if d.name == self.program.objective else self.gradient[d.name]
            self.terms[d] = terms_of(d, frozenset(self.alphas), self.program.tensors, self.alphas, above, self.lead)
        return self.terms[d]

    def _emit(self, name: str, terms: list[Term]) -> None:
        slices = pieces(self.program[name], terms, self.alphas[name])
        for piece in reversed(slices):  # backward: the last place first, as the values flow
            step = self._step(name, piece)
            if len(slices) > 1:
                self.steps.append(step)
                continue
            self._take(step)
            if may_cancel(step.expression):
                self.kept_whole.add(step.target.name)

    def _take(self, step: Step) -> None:
        """A step whose line is the whole gradient."""
        self.steps.append(step)
        self.made[step.target.name] = step.definition
        self.one_sided.add(step.definition)

    def _step(self, name: str, piece: Piece) -> Step:
        target = self.gradient[name]
        scope = self._lead_scope()
        places: list[sp.Expr] = [scope[b] for b in self.lead]
        own = self.program.by_name[name][0].indices if name in self.program.by_name else \
            next((entry_indices(t.occurrence) for t in piece.terms), ())
        for k, (alpha, span) in enumerate(zip(self.alphas[name], piece.spans, strict=True)):
            wish = str(own[k]) if k < len(own) else ""
            scope |= {alpha: span[0]} if span[0] == span[1] and piece.alone else extend(scope, [(alpha, *span)], self.labels, wish)
            places.append(scope[alpha])
        raw = tidy(sp.Add(*[t.expr for t in piece.terms]))
        folded, inlined, facts, before = inline(piece.terms, self.made, raw, tuple(self.facts))
        folded, limits = self.one_sided.smooth(folded)
        smooth = tuple(relabel(u, scope, self.labels) for u in limits)
        used = tuple(dict.fromkeys(self.facts[f] for f in facts))
        expr = relabel(folded, scope, self.labels)
        spans = (*(a.range for a in self.program.objective_tensor.axes), *piece.spans)
        ranges = tuple((p, *s) for p, s in zip(places, spans, strict=True) if not (piece.alone and s[0] == s[1]))
        definition = Definition(target, tuple(places), expr, ranges)
        known = {**dict(zip(self.alphas[name], piece.spans, strict=True)),
                 **{b: a.range for b, a in zip(self.lead, self.program.objective_tensor.axes, strict=True)}}
        lettered = (self._lettered(c, scope) for c in contributions(piece.terms, known, self.program.tensors))
        made = tuple(c for c in lettered if sp.false not in c.conditions)  # v[2 j] is never v[1]
        return Step(len(self.steps) + 1, self.program[name], definition, rule_of(self.program, name, definition, made, inlined), made,
                    relabel(raw, scope, self.labels), inlined, used, conditions_of(made, used, smooth),
                    unassumed=None if before is None else relabel(before, scope, self.labels), smooth=smooth)

    def _lead_scope(self) -> dict[sp.Symbol, sp.Symbol]:
        """Letters for the indices of an objective that is no scalar."""
        scope: dict[sp.Symbol, sp.Symbol] = {}
        for beta, axis in zip(self.lead, self.program.objective_tensor.axes, strict=True):
            scope = extend(scope, [(beta, *axis.range)], self.labels)
        return scope

    def _lettered(self, c: Contribution, scope: dict[sp.Symbol, sp.Symbol]) -> Contribution:
        """A contribution with readable letters."""
        inner = extend(scope, c.sums, self.labels)
        sums = tuple((inner[i], lo.xreplace(inner), hi.xreplace(inner)) for i, lo, hi in c.sums)
        return replace(c, upstream=relabel(c.upstream, inner, self.labels), local=relabel(c.local, inner, self.labels), sums=sums,
                       conditions=tuple(k.xreplace(inner) for k in c.conditions))

    def _absent(self) -> None:
        """What the objective does not depend on: proved zero because no chain of uses leads there, or a stop-gradient stands in each."""
        for name in self.wrt:
            if name in self.alphas:
                continue
            tensor = self.gradient[name]
            scope: dict[sp.Symbol, sp.Symbol] = {}
            for axis in tensor.axes:
                scope = extend(scope, [(sp.Dummy(integer=True), *axis.range)], self.labels)
            value = sp.S.One if name == self.program.objective else sp.S.Zero
            definition = Definition(tensor, tuple(scope.values()), value)
            rule = rule_of(self.program, name, definition, (), ())
            self.steps.append(Step(len(self.steps) + 1, self.program[name], definition, rule, (), value))

    def _finish(self) -> Derivation:
        steps = _mark_live(self.steps, {self.gradient[u].name for u in self.wrt})
        lines = [s.definition for s in steps if s.live]
        full = self.program.extend(lines, self.program.objective)
        squares: set[str] = set()
        used: list[str] = []
        for d in full.definitions:
            if d.target.role is not Role.GRADIENT and sum_of_squares(d.expr, squares):
                squares.add(d.name)
            used += conventions(d.expr, squares)
        used += [f"{u} is declared {t.structure}: its gradient is the slope in each entry on its own, as if they were free"
                 + ("; sn.symmetric gives the one among symmetric matrices" if t.structure in MIRRORED else "")
                 for u in self.wrt if (t := self.program[u]).structure]
        return Derivation(self.program, full, self.wrt, tuple(steps), {u: t.name for u, t in self.gradient.items()},
                          tuple(dict.fromkeys(used)))


def _active(program: Program, wrt: Sequence[str]) -> set[str]:
    """The tensors that depend on a wanted one and that the objective depends on."""
    uses = {name: flows(program, name) for name in program.by_name}
    above = ancestors(program.objective, uses)
    users: dict[str, list[str]] = {}
    for name, used_names in uses.items():
        for used in used_names:
            users.setdefault(used, []).append(name)
    reached, stack = set(wrt) & above, [n for n in wrt if n in above]
    while stack:
        for user in users.get(stack.pop(), ()):
            if user in above and user not in reached:
                reached.add(user)
                stack.append(user)
    return reached


def _mark_live(steps: list[Step], wanted: set[str]) -> list[Step]:
    """Steps whose gradient is wanted or used by a live step stay in the program; the others are shown only."""
    uses: dict[str, set[str]] = {}
    for s in steps:
        uses.setdefault(s.target.name, set()).update(s.uses)
    live, stack = set(wanted), list(wanted)
    while stack:
        for used in uses.get(stack.pop(), ()):
            if used in uses and used not in live:
                live.add(used)
                stack.append(used)
    return [s if s.target.name in live else replace(s, live=False) for s in steps]
