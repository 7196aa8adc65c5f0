"""The certificate of a derivation at integer sizes: one definition a line, one theorem a gradient entry; linear in the number of lines.

A point e is a record of the inputs. Every line v of the derivation, forward and backward, is a function of e, written from the derivation
itself. The theorem of an entry p is

    forall e, hypotheses -> is_derive (fun t => L (put_p e t)) (p e) (dL_dp e)

Its proof follows the chain rule once for all entries. Along any curve c of points, each line moves with a derivative d_v (one lemma a
line, whose parts stay closed), and the slopes ∂L/∂v that the derivation gives satisfy, one lemma a line,
∂L/∂u = Σ_v ∂L/∂v · ∂v/∂u. Hence Σ_v ∂L/∂v · d_v counts each use once from either end, L moves with Σ_p dL_dp · d_p, and a curve
that moves p alone gives its theorem.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files

import sympy as sp

from symnet.certificates.decimals import decimals, has_decimals
from symnet.certificates.facts import Condition, Signs, asked, domain_conditions
from symnet.certificates.names import legend, safe_name
from symnet.certificates.partial import partial
from symnet.certificates.rocq_terms import derivative_script, text
from symnet.certificates.terms import ONE, ZERO, NotExpressible, Term, entry, term_of, times, total
from symnet.certificates.unfolding import holds
from symnet.core.derivation import Derivation
from symnet.core.tensors import Tensor

MOST_ENTRIES, MOST_AXES, MOST_SPLIT = 400, 6, 4
HERE = "(c t0)"


def library() -> str:
    """The lemmas that every certificate begins with."""
    return files("symnet.certificates").joinpath("analysis.v").read_text(encoding="ascii")


@dataclass
class Lines:
    """The lines of a derivation at integer sizes that its gradients rest on, as terms, with what their derivatives ask."""

    whole: Derivation
    scalars: Derivation
    forward: dict[str, Term] = field(default_factory=dict)
    idle: dict[str, Term] = field(default_factory=dict)  # on which the objective does not rest, though a line of the derivation does
    backward: dict[str, Term] = field(default_factory=dict)
    partials: dict[str, dict[str, Term]] = field(default_factory=dict)
    moving: set[str] = field(default_factory=set)
    signs: Signs = field(default_factory=Signs)
    hypotheses: list[Condition] = field(default_factory=list)
    equalities: list[tuple[str, Condition, Term, Term]] = field(default_factory=list)

    def __post_init__(self) -> None:
        program, full = self.scalars.program, self.scalars.full
        self.inputs = {t.name: t for t in program.inputs}
        refuse_construct(self.whole, self.scalars)
        right_sides = {d.name: d.expr for d in full.definitions}
        backward = {d.name for d in full.definitions} - {d.name for d in program.definitions}
        needed = reachable(right_sides, [program.objective])
        told = reachable(right_sides, [*needed, *backward, *[n for n, g in self.scalars.names.items() if g in backward]])
        self.parameters = list(self.scalars.wrt)
        self.moving = set(self.parameters)
        for name, tensor in self.inputs.items():
            if tensor.domain not in ("real", "complex", "index"):
                self.hypotheses += domain_conditions(name, tensor)
            self.signs.declare(name, tensor)
        for a in dict.fromkeys(a for s in self.scalars.steps for a in s.assumptions):
            self._assume(a.left, a.right)
        self.shown: dict[str, set[str]] = {}
        for d in program.definitions:
            if d.name in needed:
                self._forward(d.name, d.expr)
            elif d.name in told:
                self.idle[d.name] = term_of(d.expr)
        self.backward = {d.name: term_of(d.expr) for d in full.definitions if d.name in backward}

    def _forward(self, name: str, expr: sp.Expr) -> None:
        term = term_of(expr)
        self.forward[name] = term
        used = [s for s in sorted(expr.free_symbols, key=str) if str(s) in self.moving]
        if used:
            self.moving.add(name)
            self.partials[name] = {str(s): partial(term, str(s)) for s in used}
            for condition in asked(term, self.moving):
                if not self.signs.shows(condition) and not {condition, replace(condition, guards=())} & set(self.hypotheses):
                    self.hypotheses.append(condition)
        found = self.signs.learn(name, term)
        if found:
            self.shown[name] = found

    def _assume(self, left: sp.Expr, right: sp.Expr) -> None:
        """A declared equality, and which entry it gives: one that is linear in it with the coefficient 1 or -1."""
        condition = Condition("equal", (term_of(left), term_of(right)))
        self.hypotheses.append(condition)
        difference = sp.expand(left - right)
        for s in sorted(difference.free_symbols, key=str):
            slope = difference.diff(s)
            if slope in (1, -1) and str(s) in self.inputs:
                rest = sp.expand(s - slope * difference)
                self.equalities.append((f"S{len(self.hypotheses)}", condition, entry(str(s)), term_of(rest)))
                return
        raise NotExpressible("assumption", f"{left} = {right} gives no entry", "equalities that are linear in an input")

    @property
    def still(self) -> list[str]:
        """The forward lines and inputs that no parameter moves."""
        return [n for n in (*self.inputs, *self.forward) if n not in self.moving]


def reachable(right_sides: dict[str, sp.Expr], names: list[str]) -> set[str]:
    """The lines that ``names`` rest on, with themselves."""
    found, left = set(), [n for n in names if n in right_sides]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += [str(s) for s in right_sides[name].free_symbols if str(s) in right_sides]
    return found


def refuse_construct(whole: Derivation, scalars: Derivation) -> None:
    """Raise NotExpressible for what no certificate of entries can say."""
    if whole.program.objective_tensor.axes:
        raise NotExpressible("objective", "an array: its derivative is a Jacobian", "an objective that is a number")
    defined = {d.name for d in scalars.program.definitions}
    for name in scalars.wrt:
        if name in defined:
            raise NotExpressible(name, "a line of the program; an input can be moved alone, a line cannot")
    for t in whole.program.inputs:
        if t.domain in ("complex", "index"):
            raise NotExpressible(t.name, f"of the domain {t.domain}; certificates speak of real numbers")
        if len(t.axes) > MOST_AXES:
            raise NotExpressible(t.name, f"{len(t.axes)} axes, more than {MOST_AXES}")
    for s in scalars.steps:
        if s.smooth:
            raise NotExpressible(s.target.name, "its slope where two sides agree at a kink is a convention of the line")
    for t in scalars.program.inputs:
        if any(p < 0 for p in t.place):
            raise NotExpressible(t.parent, f"the place {t.place} is below 0")


def refuse_too_many(whole: Derivation, sizes: Mapping[str, int]) -> None:
    """Raise NotExpressible for more entries than a certificate writes out, before any is."""
    at = {s: sp.Integer(sizes[str(s)]) for s in whole.program.sizes}
    count = sum(int(sp.Mul(*[n.xreplace(at) for n in t.shape])) for t in whole.full.tensors.values())
    if count > MOST_ENTRIES:
        raise NotExpressible("sizes", f"{count} entries, more than {MOST_ENTRIES}", "smaller sizes")


def is_root(t: Term) -> bool:
    """True for exp((1/q) ln u), the q-th root of u."""
    inside = t.parts[0] if t.head == "exp" else ONE
    return inside.head == "times" and inside.parts[0].head == "number" and inside.parts[0].value.numerator == 1 \
        and inside.parts[1].head == "ln"


class RocqFile:
    """The text of a certificate for Rocq, part by part."""

    def __init__(self, lines: Lines, decimals: bool = False) -> None:
        self.lines, self.decimals = lines, decimals
        self.objective = lines.scalars.objective
        self.tensors: dict[str, Tensor] = {t.name: t for t in lines.whole.program.inputs}
        self.wrt = {lines.inputs[p].parent or p: self.tensors[lines.inputs[p].parent or p] for p in lines.parameters}
        moving = [n for n in lines.forward if n in lines.moving and n != self.objective]
        self.own = {n: f"own_{safe_name(n)}" for n in moving if self._gradient(n) is None}
        self.every = {d.name: both[d.name] for both in [lines.forward | lines.idle] for d in lines.scalars.program.definitions
                      if d.name in both}
        self.idle = {n: g for n in lines.idle if (g := self._gradient(n))}  # lines whose slopes are 0
        self.theorems = {p: f"gradient_{safe_name(p)}" for p in lines.parameters}
        self.used = {u: [v for v in lines.forward if u in lines.partials.get(v, ())]
                     for u in (*lines.moving, *lines.idle)}

    # --- names -------------------------------------------------------------------------------------------------------------------

    def _gradient(self, name: str) -> str | None:
        """The derivation's own name of ∂L/∂name; None where it has none, or where name is the objective."""
        found = self.lines.scalars.names.get(name)
        return found if found in self.lines.backward else None

    def at(self, point: str, name: str) -> str:
        """The entry ``name`` at a point."""
        tensor = self.lines.inputs.get(name)
        if tensor is None or not tensor.parent:
            return f"{safe_name(name)} {point}"
        return " ".join([safe_name(tensor.parent), point, *map(str, tensor.place)])

    def moved(self, name: str) -> str:
        """The derivative of the entry ``name`` along the curve."""
        tensor = self.lines.inputs.get(name)
        if tensor is None or not tensor.parent:
            return f"d_{safe_name(name)}"
        return " ".join([f"d_{safe_name(tensor.parent)}", *map(str, tensor.place)])

    def slope(self, name: str, point: str = HERE) -> str:
        """∂L/∂name at a point."""
        if name == self.objective:
            return "1"
        found = self._gradient(name)
        return f"{self.own[name]} {point}" if found is None and name in self.own else f"{safe_name(found or '')} {point}"

    def write(self, term: Term, point: str, level: int = 100) -> str:
        """A term at a point."""
        return text(term, lambda name: self.at(point, name), level)

    def prop(self, condition: Condition, point: str) -> str:
        """A condition at a point."""
        a = [self.write(t, point, 69) for t in condition.parts]
        made = {"positive": "0 < {0}", "nonzero": "{0} <> 0", "distinct": "{0} <> {1}", "equal": "{0} = {1}", "below": "{0} < {1}",
                "at least": "{0} <= {1}"}[condition.kind].format(*a)
        for z, above in reversed(condition.guards):
            side = self.write(z, point, 69)
            made = f"(0 < {side} -> {made})" if above else f"({side} < 0 -> {made})"
        return made

    # --- parts -------------------------------------------------------------------------------------------------------------------

    def text(self) -> str:
        """The whole file."""
        parts = [legend(self.legend()), library(), *self.points(), *self.definitions(), *self.along(), *self.theorem(), *self.ending()]
        return "\n".join(parts) + "\n"

    def legend(self) -> Iterator[str]:
        d = self.lines.whole
        yield f"The gradients of {d.objective} by {', '.join(d.wrt)}, for Rocq 8.16 with Coquelicot 3.2 or later."
        if d.program.title:
            yield d.program.title
        yield "Each line of the derivation is a definition, each gradient entry a theorem; names are written behind v_."
        for line in self.lines.scalars.program.definitions:
            yield f"  {line.name} = {line.expr}"

    def points(self) -> Iterator[str]:
        fields = [f"{safe_name(t.name)} : {'nat -> ' * len(t.axes)}R" for t in self.tensors.values()]
        yield "\n(* The inputs. *)\nRecord point := Point {\n  " + ";\n  ".join(fields) + " }."
        for name, t in self.wrt.items():
            places = " ".join(f"i{k + 1}" for k in range(len(t.axes)))
            new = f"at{len(t.axes)} ({safe_name(name)} e) {places} t" if t.axes else "t"
            values = [f"({new})" if other == name else f"({safe_name(other)} e)" for other in self.tensors]
            args = f"(e : point){f' ({places} : nat)' if places else ''} (t : R)"
            yield f"Definition put_{safe_name(name)} {args} : point :=\n  Point {' '.join(values)}."
            same = " ".join([f"{safe_name(name)} e", places]).strip()
            yield (f"Lemma put_{safe_name(name)}_same (e : point) {places} : put_{safe_name(name)} e {places} ({same}) = e.\n"
                   f"Proof. destruct e. unfold put_{safe_name(name)}. simpl. "
                   f"{f'rewrite at{len(t.axes)}_same. ' if t.axes else ''}reflexivity. Qed.")

    def definitions(self) -> Iterator[str]:
        yield "\n(* The forward pass. *)"
        for name, term in self.every.items():
            yield f"Definition {safe_name(name)} (e : point) : R := {self.write(term, 'e')}."
        yield "\n(* The derivation. *)"
        for name, term in self.lines.backward.items():
            yield f"Definition {safe_name(name)} (e : point) : R := {self.write(term, 'e')}."
        yield ("\n(* What follows proves. The derivatives of the objective by the lines for which the derivation has none: *)"
               if self.own else "\n(* What follows proves. *)")
        for name in reversed(self.lines.forward):
            if name in self.own:
                yield f"Definition {self.own[name]} (e : point) : R := {self.gathered(name, 'e')}."

    def gathered(self, name: str, point: str) -> str:
        """Σ_v ∂L/∂v · ∂v/∂name."""
        terms = [self.product(self.slope(v, point), self.write(self.lines.partials[v][name], point, 39)) for v in self.used[name]]
        return " + ".join(terms) or "0"

    @staticmethod
    def product(*factors: str) -> str:
        """A product of texts, without ones."""
        return " * ".join(f for f in factors if f != "1") or "1"

    def along(self) -> Iterator[str]:
        lines = self.lines
        yield "\nSection Along.\nVariables (c : R -> point) (t0 : R)."
        for name, t in self.tensors.items():
            v = safe_name(name)
            if name in self.wrt:
                places = " ".join(f"i{k + 1}" for k in range(len(t.axes)))
                yield f"Variable d_{v} : {'nat -> ' * len(t.axes)}R."
                forall = f"forall {places}, " if places else ""
                yield f"Hypothesis moves_{v} : {forall}is_derive (fun t => {v} (c t) {places}) t0 (d_{v} {places})."
            else:
                yield f"Hypothesis still_{v} : forall t, {v} (c t) = {v} {HERE}."
        for k, condition in enumerate(lines.hypotheses):
            yield f"Hypothesis H{k + 1} : {self.prop(condition, HERE)}."
            if condition.kind in ("positive", "nonzero") and not condition.guards:
                yield f"Local Hint Resolve H{k + 1} : signs."
        for name in lines.still:
            if name in lines.forward:
                yield (f"Lemma still_{safe_name(name)} (t : R) : {safe_name(name)} (c t) = {safe_name(name)} {HERE}.\n"
                       f"Proof. unfold {safe_name(name)}. {self.rest(lines.forward[name])} Qed.")
        for name, term in lines.forward.items():
            yield from self.seen(name)
            if name in lines.moving:
                yield from self.tangent(name, term)
        for name in (*reversed(self.every), *lines.parameters):
            if name in self.idle or (name in lines.moving and name != self.objective):
                yield from self.adjoint(name)
        yield from self.altogether()
        yield "End Along."

    def rest(self, term: Term) -> str:
        """The proof that a term without moving entries stays."""
        names = sorted({self.lines.inputs[n].parent or n if n in self.lines.inputs else n for n in term.entries})
        return "".join(f"rewrite ?(still_{safe_name(n)} t). " for n in names) + "reflexivity."

    def seen(self, name: str) -> Iterator[str]:
        v = safe_name(name)
        for what in sorted(self.lines.shown.get(name, ())):
            said = {"positive": f"0 < {v} {HERE}", "nonnegative": f"0 <= {v} {HERE}", "rest": f"0 < 1 - {v} {HERE}"}[what]
            yield f"Lemma {what}_{v} : {said}.\nProof. unfold {v}. {'nonnegative' if what == 'nonnegative' else 'positive'}. Qed."
            yield f"Local Hint Resolve {what}_{v} : signs."

    def tangent(self, name: str, term: Term) -> Iterator[str]:
        v, lines = safe_name(name), self.lines
        parts = [self.product(self.write(lines.partials[name][u], HERE, 39), self.moved(u)) for u in lines.partials[name]]
        yield f"Definition d_{v} : R := {' + '.join(parts)}."
        script = derivative_script(term, lines.moving, self.mover, self.rest)
        yield (f"Lemma moves_{v} : is_derive (fun t => {v} (c t)) t0 d_{v}.\n"
               f"Proof. unfold {v}, d_{v}. eapply d_equal; [{script} | {self.close(term, *lines.partials[name].values())}]. Qed.")

    def mover(self, name: str) -> str:
        """The lemma by which the entry ``name`` moves."""
        tensor = self.lines.inputs.get(name)
        return f"moves_{safe_name(tensor.parent if tensor and tensor.parent else name)}"

    def close(self, *terms: Term, facts: str = "") -> str:
        """The end of a proof of an equality of terms: algebra, with the roots and kinks in them."""
        heads = {t.head for term in terms for t in term.walk()}
        roots = dict.fromkeys(self.write(t.parts[0], HERE) for term in terms for t in term.walk() if t.head == "sqrt")
        roots_of = dict.fromkeys((t.parts[0].parts[0].value.denominator, self.write(t.parts[0].parts[1].parts[0], HERE, 9))
                                 for term in terms for t in term.walk() if is_root(t))
        powers = "cbv beta iota delta [INR pred]; " if "power" in heads else "cbv beta; "
        branches = bool(heads & {"choose", "step", "relu", "leaky_relu", "sign", "abs", "max", "min"})
        names = [*(facts.split() if facts else []), *[f"Q{k}" for k in range(len(roots))]]
        squares = "".join(f"assert (Q{k} : sqrt ({u}) * sqrt ({u}) = {u}) by (apply sqrt_sqrt; nonnegative); " for k, u in enumerate(roots))
        for q, u in roots_of:
            names.append(f"Q{len(names)}")
            squares += (f"assert ({names[-1]} : exp ((1 / {q}) * ln {u}) ^ {q} = {u}) by "
                        f"(apply (root_power {q - 1} {q}); [positive | simpl; lra]); ")
        algebra = f"field{' [' + ' '.join(names) + ']' if names else ''}; sides"
        if heads & {"exp", "ln"}:
            given = f"ltac:({algebra})"
            algebra = (f"first [solve [{algebra}] | same_arguments {given}; solve [{algebra}] | "
                       f"exponentials {given}; solve [{algebra}]]")
        if branches:
            there = {n for term in terms for n in term.entries}
            sides = [k + 1 for k, h in enumerate(self.lines.hypotheses) if h.kind in ("distinct", "nonzero") and not h.guards
                     and all(t.entries <= there for t in h.parts)]
            split = "; ".join(f"destruct (Rdichotomy _ _ H{k})" for k in sides[:MOST_SPLIT])
            split = f" | {split}; branches; solve [{algebra}]" if split else ""
            algebra = f"first [solve [{algebra}] | solve [branches; {algebra}]{split}]"
        return powers + squares + algebra

    def adjoint(self, name: str) -> Iterator[str]:
        lines, gradient = self.lines, self._gradient(name)
        if gradient is None:
            yield f"Lemma adjoint_{safe_name(name)} : {self.own[name]} {HERE} = {self.gathered(name, HERE)}.\nProof. reflexivity. Qed."
            return
        goal = f"{safe_name(gradient)} {HERE} = {self.gathered(name, HERE)}"
        opened, named = self.opening(name, gradient)
        right = [self.slope_term(v) for v in self.used[name]]
        terms = [lines.backward[gradient], *[lines.partials[v][name] for v in self.used[name]], *right, *opened.values()]
        facts = self.solved(set().union(*[t.entries for t in terms]))
        unfold = f"unfold {', '.join([safe_name(gradient), *named])}. "
        zeros = [n for n, g in self.idle.items() if g in lines.backward[gradient].entries]
        unfold += "".join(f"rewrite adjoint_{safe_name(n)}. " for n in zeros)
        close = self.close(*terms, facts=" ".join(f for f, _, _ in facts))
        yield f"Lemma adjoint_{safe_name(name)} : {goal}.\nProof. {''.join(a for _, a, _ in facts)}{unfold}{close}. Qed."

    def opening(self, name: str, gradient: str) -> tuple[dict[str, Term], list[str]]:
        """The lines to open so that ∂L/∂name = Σ_v ∂L/∂v · ∂v/∂name is algebra: their terms, and their names in order of opening."""
        lines, own = self.lines, self.own_behind(name)
        left = lines.backward[gradient]
        right = total([times(self.slope_term(v), lines.partials[v][name]) for v in self.used[name]])
        slopes = {f"own {v}": total([times(self.slope_term(w), lines.partials[w][v]) for w in self.used[v]]) for v in reversed(own)}
        backward = {n: lines.backward[n] for n in left.entries if n in lines.backward}
        backward |= {g: lines.backward[g] for v in self.used[name] if (g := self._gradient(v))}
        order = list(lines.scalars.full.definitions)
        zeros = {g: ZERO for g in self.idle.values() if g in left.entries}
        tries = list[dict[str, Term]]()
        for more in ({}, {d.name: backward[d.name] for d in order if d.name in backward}):
            opened = dict[str, Term]()
            for group in ([], *self.groups([left, right, *slopes.values(), *more.values()])):
                opened = {**{n: self.every[n] for n in reversed(group)}, **opened}
                tries.append({**more, **opened, **slopes, **zeros})
        for opened in tries:
            entries = left.entries.union(right.entries, *[t.entries for t in opened.values()])
            solved = [(u, v) for _, _, (u, v) in self.solved(entries)]
            if holds(left, right, opened, solved, lines.signs.known):
                break
        else:
            opened = tries[0]
        opened = {n: t for n, t in opened.items() if n not in zeros}
        names = [self.own[n[4:]] if n.startswith("own ") else safe_name(n) for n in reversed(opened)]
        return opened, names

    def slope_term(self, name: str) -> Term:
        """∂L/∂name as a term: 1, an entry of the derivation, or one of our own."""
        return ONE if name == self.objective else entry(self._gradient(name) or f"own {name}")

    def own_behind(self, name: str) -> list[str]:
        """The lines behind ``name`` whose slopes are our own, from near to far."""
        found = list[str]()
        for v in self.used[name]:
            if v in self.own and v not in found:
                found += [v, *[w for w in self.own_behind(v) if w not in found]]
        return found

    def groups(self, terms: list[Term]) -> Iterator[list[str]]:
        """The lines that stand in ``terms``, array by array, the last first, each with what it is made of after it."""
        tensors = self.lines.scalars.program.tensors
        there = set().union(*[t.entries for t in terms])
        order = list(dict.fromkeys(tensors[n].parent or n for n in reversed(self.every)))
        for parent in order:
            group = [n for n in reversed(self.every) if n in there and (tensors[n].parent or n) == parent]
            if group:
                there = there.union(*[self.every[n].entries for n in group])
                yield group

    def solved(self, entries: Collection[str]) -> list[tuple[str, str, tuple[Term, Term]]]:
        """The declared equalities that speak of ``entries``: a name, the line that shows it, the entry that it gives and its value."""
        found = []
        for name, condition, unknown, value in self.lines.equalities:
            if not (unknown.entries | value.entries).isdisjoint(entries):
                k = self.lines.hypotheses.index(condition) + 1
                left, right = self.write(unknown, HERE), self.write(value, HERE)
                found.append((name, f"assert ({name} : {left} = {right}) by (pose proof H{k}; lra). ", (unknown, value)))
        return found

    def altogether(self) -> Iterator[str]:
        """L' = Σ_p dL_dp d_p: the uses of all lines, counted from both ends."""
        lines, objective = self.lines, self.objective
        names = [n for n in (*reversed(lines.forward), *lines.parameters) if n in lines.moving]
        if not lines.partials.get(objective):
            raise NotExpressible("objective", "it depends on nothing that it is differentiated by")
        for v, partials in lines.partials.items():
            for u, slope in partials.items():
                product = self.product(self.slope(v), self.write(slope, HERE, 39), self.moved(u))
                yield f"Definition {self.use(v, u)} : R := {product}."
        left, right, equal = list[str](), list[str](), list[str]()
        for n in names:
            v = safe_name(n)
            into = [self.use(w, n) for w in self.used[n]]
            out = [self.use(n, u) for u in lines.partials.get(n, ())]
            opened = f"unfold {', '.join(into)}; " if into else ""
            if n == objective:
                goal = f"d_{v} = {' + '.join(out)}"
                proof = f"unfold d_{v}, {', '.join(out)}; ring"
            elif n in lines.partials:
                goal = f"{' + '.join(into) or '0'} = {' + '.join(out)}"
                proof = (f"transitivity ({self.slope(n)} * d_{v}); [rewrite adjoint_{v}; {opened}ring | "
                         f"unfold d_{v}, {', '.join(out)}; ring]")
            else:
                goal = f"{' + '.join(into) or '0'} = {self.slope(n)} * {self.moved(n)}"
                proof = f"rewrite adjoint_{v}; {opened}ring"
            yield f"Lemma spread_{v} : {goal}.\nProof. {proof}. Qed."
            one, other = goal.split(" = ")
            left.append(one)
            right.append(other)
            equal.append(f"spread_{v}")
        both = equal[-1]
        for lemma in reversed(equal[:-1]):
            both = f"(f_equal2 Rplus {lemma} {both})"
        yield (f"Lemma along : is_derive (fun t => {safe_name(objective)} (c t)) t0 ({self.directional()}).\n"
               f"Proof using All. eapply d_equal; [apply moves_{safe_name(objective)}|].\n"
               f"apply (by_sums _ _ _ _ {both}); ring. Qed.")

    @staticmethod
    def use(v: str, u: str) -> str:
        """The name of ∂L/∂v · ∂v/∂u · d_u."""
        return f"use_{safe_name(v)}_{safe_name(u)}"

    def directional(self) -> str:
        """Σ_p dL_dp d_p, nested to the right."""
        terms = [f"{self.slope(p)} * {self.moved(p)}" for p in self.lines.parameters]
        return " + (".join(terms) + " + 0" + ")" * (len(terms) - 1)

    def theorem(self) -> Iterator[str]:
        lines = self.lines
        for p, theorem in self.theorems.items():
            tensor = lines.inputs[p]
            owner, places = tensor.parent or p, "".join(f" {k}" for k in tensor.place) if tensor.parent else ""
            put, here = f"put_{safe_name(owner)} e{places}", self.at("e", p)
            given = "".join(f"{self.prop(h, 'e')} ->\n  " for h in lines.hypotheses)
            yield (f"Theorem {theorem} (e : point) : {given}"
                   f"is_derive (fun t => {safe_name(self.objective)} ({put} t)) ({here}) ({self.slope(p, 'e')}).")
            arguments = []
            for name, t in self.tensors.items():
                if name not in self.wrt:
                    arguments.append("(fun _ => eq_refl)")
                    continue
                axes = len(t.axes)
                bound = " ".join(f"i{k + 1}" for k in range(axes))
                if name == owner:
                    arguments.append(f"(unit{axes}{places})" if axes else "1")
                    arguments.append(f"(fun {bound} => d_at{axes} ({safe_name(name)} e){places} {bound} ({here}))" if axes else
                                     f"(d_id ({here}))")
                else:
                    arguments.append(f"(fun {' '.join('_' * axes)} => 0)" if axes else "0")
                    constant = f"d_const ({' '.join([safe_name(name), 'e', bound]).strip()}) ({here})"
                    arguments.append(f"(fun {bound} => {constant})" if axes else f"({constant})")
            names = [f"H{k + 1}" for k in range(len(lines.hypotheses))]
            before = lines.parameters.index(p)
            same = f"(put_{safe_name(owner)}_same e{places})"
            yield (f"Proof. {f'intros {chr(32).join(names)}. ' if names else ''}eapply d_equal.\n"
                   f"  - refine (along ({put}) ({here}) {' '.join(arguments)}{' _' * len(names)})"
                   f"{f'; rewrite {same}; assumption' if names else ''}.\n"
                   f"  - rewrite {same}. {'apply other_one; [reflexivity|]. ' * before}apply last_one; [reflexivity|]. "
                   f"repeat (apply other_one; [reflexivity|]). reflexivity.\nQed.")

    def ending(self) -> Iterator[str]:
        scalars = self.lines.scalars
        yield together("every_gradient", list(self.theorems.values()))
        lines = {d.name: both[d.name] for both in [self.every | self.lines.backward] for d in scalars.full.definitions if d.name in both}
        if self.decimals:
            if not has_decimals(scalars, lines):
                raise NotExpressible("decimals", "an input without a rational value, or a line that interval arithmetic does not enclose")
            yield from decimals(scalars, self.lines.whole, lines, self.at)
            yield together("every_value", [f"value_{safe_name(n)}" for n in (scalars.objective, *[scalars.names[w] for w in scalars.wrt])])


def together(name: str, theorems: list[str]) -> str:
    """All theorems as one, and what they rest on."""
    return f"\nDefinition {name} := {', '.join(f'({n}' for n in theorems)}{')' * len(theorems)}.\nPrint Assumptions {name}."
