"""Dividing the loss by c is dividing the learning rate by c: proved where it holds, refuted where it does not.

Run A minimizes L/c with rate α, run B minimizes L with rate α/c, from the same start. The claim is that both runs visit the
same parameters at every step. The search below only proposes; every line of the proof is made by the kernel.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import sympy as sp

from symnet.calculus.closed import closed_scalars
from symnet.core.axes import Axis, Kind, index
from symnet.core.claim import Claim, Proved, Refutation, Statement
from symnet.core.expressions import Nabla
from symnet.core.numbers import compute, decimal, to_flint
from symnet.core.plain_data import encode
from symnet.core.tensors import Tensor
from symnet.core.verdict import Answer, Verdict
from symnet.equality.compare import prove_equal
from symnet.errors import DomainError, ProofError
from symnet.networks.gradient_transforms import clip_by_value
from symnet.networks.optimizers import OPTIMIZERS, Optimizer, optimizer
from symnet.proofs import kernel
from symnet.proofs.kernel import Proof

T = index("t")
FACTOR = sp.Symbol("c", positive=True)
LOSS = sp.IndexedBase("L", real=True)[T]  # it may change with the step: mini-batches
STARTS = (1, 3, 1000, 10**6)  # large ones pass the limit of a clipping
LATER = (8, 20)  # steps for a rule that begins as a linear one
STEPS = Axis.between(0, "T", Kind.TIME)


class Run:
    """One run: the sequence of parameters and of each state, and the update equation of each, for every step."""

    def __init__(self, rule: Optimizer, letter: str, loss: sp.Expr, rate: sp.Expr, zeros: tuple[str, ...] = (),
                 changed: tuple[str, ...] = (), said: str = "") -> None:
        self.rule, self.said = rule, said
        self.tensors = {"w": Tensor(letter, (STEPS,))} | {
            old: Tensor(f"{old}{letter}", (STEPS,), latex=rf"{old}") for old, _ in rule.states}
        if letter != "w":
            self.tensors = {k: Tensor(t.name, t.axes, latex=rf"\tilde{{{k}}}") for k, t in self.tensors.items()}
        there: dict[sp.Basic, sp.Expr] = {sp.Symbol(k, real=True): t[T] for k, t in self.tensors.items()}
        there |= {sp.Symbol("g", real=True): Nabla(loss, self.at("w", T)), sp.Symbol("lr", real=True): rate}
        there[sp.Symbol("t", real=True)] = T + 1
        there |= {sp.Symbol(k, real=True): sp.S.Zero for k in zeros}
        there |= {sp.Symbol(k, real=True): FACTOR * sp.Symbol(k, real=True) for k in changed}
        there = closed_scalars(rule.program, there)
        new = {"w": "w_new", **dict(rule.states)}
        self.updates = {k: Statement(self.at(k, T + 1), there[sp.Symbol(n, real=True)], T) for k, n in new.items()}

    def at(self, name: str, step: sp.Expr) -> sp.Expr:
        """The value of a sequence at a step."""
        return self.tensors[name][step]


@dataclass(frozen=True, slots=True)
class Effect:
    """What dividing the loss by c may be the same as: the rate divided by c or left, settings multiplied by c, settings that must be 0."""

    name: str
    same_as: str
    divides_rate: bool
    changed: tuple[str, ...] = ()
    zeros: tuple[str, ...] = ()


RATE = Effect("loss-scaling", "training on the loss itself with learning rate α divided by c", True)
DECAY = Effect("loss-scaling-decay", "training on the loss itself with learning rate α divided by c and a weight decay multiplied by c",
               True, ("lam",))
LIMIT = Effect("loss-scaling-clipping", "training on the loss itself with learning rate α divided by c and a limit of the clipping "
               "multiplied by c", True, ("limit",))
NOTHING = Effect("loss-scaling-nothing", "training on the loss itself with the same learning rate α", False)
EPSILON = Effect("loss-scaling-epsilon", "training on the loss itself with the same learning rate α and ε multiplied by c", False, ("eps",))
NO_EPSILON = Effect("loss-scaling-without-epsilon", "training on the loss itself with the same learning rate α", False, (), ("eps",))
EFFECTS: dict[str, Effect] = {e.name: e for e in (RATE, DECAY, LIMIT, NOTHING, EPSILON, NO_EPSILON)}


def loss_scaling(name: str | Optimizer = "sgd", effect: Effect = RATE) -> Proved | Refutation | Verdict:
    """Is L/c with rate α the same training as L with rate α/c, or as another ``effect`` says, for every c > 0, every loss and every start?

    The loss may change with the step (mini-batches). With a schedule α is its base rate. A proof holds for every value of the other
    constants, save those that are 0 in the rule: they are named as conditions. A refutation is about the constants of the rule, all of
    them named.

    >>> bool(loss_scaling("sgd")), bool(loss_scaling("adam")), bool(loss_scaling("signsgd", NOTHING))
    (True, False, True)
    """
    rule = optimizer(name)
    missing = [k for k in (*effect.changed, *effect.zeros) if k not in rule.settings]
    if missing:
        return Verdict(Answer.UNDECIDED, reason=f"the rule has no {', '.join(missing)}")
    zeros = (*(k for k, v in rule.settings.items() if v == 0 and k not in ("lr", *effect.changed)), *effect.zeros)
    claim = Claim(effect.name, f"For {called(rule)}, training on the loss divided by c with learning rate α visits the same "
                  f"parameters, step for step, as {effect.same_as}.",
                  ("c > 0", "both runs start from the same parameters", "both runs see the same data in the same order, step for step",
                   *(["the states start at 0"] if rule.states else []), *dict.fromkeys(f"{k} = 0" for k in zeros),
                   *(["no gradient is 0, for which the update has no value"] if effect.zeros else [])), rule)
    own = {"w", "g", "t", "norm", *[old for old, _ in rule.states], *rule.settings}
    foreign = [t.name for t in rule.program.inputs if t.name not in own]
    if foreign or "lr" not in rule.settings:
        return Verdict(Answer.UNDECIDED, reason=f"the rule needs {', '.join(foreign)}" if foreign else "the rule has no learning rate")
    refuted = _counterexample(rule, claim, effect)
    if refuted is not None:
        return refuted
    proved = None if rule.uses_norm else _proof(rule, claim, tuple(dict.fromkeys(zeros)), effect)
    undecided = Verdict(Answer.UNDECIDED, reason="no proof by scaling the states, and no counterexample on L(w) = w²/2")
    return undecided if proved is None else proved


@dataclass(frozen=True, slots=True)
class Row:
    """What dividing the loss does to one optimizer: the effects that are proved, and the counterexample to the first that is not."""

    rule: Optimizer
    proved: tuple[Proved, ...]
    refuted: Refutation | None
    decided: bool

    @property
    def said(self) -> str:
        """In words."""
        names = [p.claim.name for p in self.proved]
        if RATE.name in names:
            return "the same as dividing the learning rate by c"
        if NOTHING.name in names:
            return "changes nothing"
        parts = [{DECAY.name: "the same as dividing the learning rate by c, if the decay is multiplied by c",
                  LIMIT.name: "the same as dividing the learning rate by c, if the limit is multiplied by c",
                  EPSILON.name: "the same as multiplying ε by c", NO_EPSILON.name: "nothing, for ε = 0"}[n] for n in names]
        return "; ".join(parts) or ("neither the one nor the other" if self.decided else "undecided")


def scaling_table(rules: Iterable[str | Optimizer] = ()) -> list[Row]:
    """For each rule (those of the library by default) what dividing the loss does: equal to α/c, nothing, or under a condition."""
    chosen = [optimizer(r) for r in rules] or [make() for make in OPTIMIZERS.values()] + [
        optimizer("sgd", weight_decay="1/100"), clip_by_value(optimizer("sgd"), 1)]
    found: list[Row] = []
    for rule in chosen:
        proved: list[Proved] = []
        first: Refutation | None = None
        decided = True
        for effect in EFFECTS.values():
            if any(p.claim.name in (RATE.name, NOTHING.name) for p in proved) or not {*effect.changed, *effect.zeros} <= set(rule.settings):
                continue
            answer = loss_scaling(rule, effect)
            if isinstance(answer, Proved):
                proved.append(answer)
            elif isinstance(answer, Refutation):
                first = first if first is not None else answer
            else:
                decided = False
        found.append(Row(rule, tuple(proved), first, decided))
    return found


def called(rule: Optimizer) -> str:
    """The name of a rule, when it is one of the library's under its own name; else with the lines that it stands for.

    >>> called(optimizer("sgd")), called(optimizer("sgd", weight_decay=1))
    ('SGD', 'SGD with weight decay, that is g_decay := g + lam*w; w_new := -g_decay*lr + w')
    """
    if (rule.name, _lines(rule)) in _library():
        return rule.name
    return f"{rule.name}, that is {'; '.join(map(str, rule.program.definitions))}"


@lru_cache(maxsize=1)
def _library() -> frozenset[tuple[str, Any]]:
    return frozenset((rule.name, _lines(rule)) for rule in (make() for make in OPTIMIZERS.values()))


def _lines(rule: Optimizer) -> tuple[Any, ...]:
    """The update as plain data."""
    return rule.states, tuple((d.name, encode(d.expr)) for d in rule.program.definitions)


def _proof(rule: Optimizer, claim: Claim, zeros: tuple[str, ...], effect: Effect) -> Proved | None:
    """The proof, when every state of one run is a power of c times that of the other. The runs share all inputs but the gradient."""
    rate = sp.Symbol("lr", real=True)
    first = Run(rule, "w", LOSS / FACTOR, rate, zeros)
    second = Run(rule, "v", LOSS, rate / FACTOR if effect.divides_rate else rate, zeros, effect.changed,
                 f"the update of run B: the rate is {'α/c' if effect.divides_rate else 'α'}"
                 + "".join(f", {k} times c" for k in effect.changed))
    for powers in itertools.product((0, 1, 2), repeat=len(rule.states)):
        found = _attempt(first, second, dict(zip([old for old, _ in rule.states], powers, strict=True)))
        if found is not None:
            tensors = {t.name: t for run in (first, second) for t in run.tensors.values()}
            tensors["lr"] = Tensor("lr", latex=r"\alpha")
            return Proved(claim, found, {**tensors, **{s.name: s for s in rule.program.inputs if s.latex}})
    return None


def _attempt(first: Run, second: Run, powers: Mapping[str, int]) -> Proof | None:
    """The proof with states related by s = r/c^power, or None when a step is not proved."""
    wanted = {k: Statement(first.at(k, T), second.at(k, T) / FACTOR ** powers.get(k, 0)) for k in first.tensors}
    try:
        bases = [_base(k, e, first, second) for k, e in wanted.items()]
        steps = [_step(k, wanted, first, second) for k in wanted]
        return kernel.noted(kernel.induction(*bases, *steps, T, tuple(wanted.values())), "by induction, for every step")
    except ProofError:
        return None


def _base(name: str, wanted: Statement, first: Run, second: Run) -> Proof:
    """The start: the same parameters, all states 0."""
    left, right = first.at(name, sp.S.Zero), second.at(name, sp.S.Zero)
    if name == "w":
        return kernel.noted(kernel.given(Statement(left, right)), "both runs start from the same parameters")
    zero = kernel.noted(kernel.given(Statement(left, sp.S.Zero)), "a state starts at 0")
    other = kernel.noted(kernel.given(Statement(right, sp.S.Zero)), "a state starts at 0")
    target = wanted.right.xreplace({T: sp.S.Zero})
    return kernel.same_right(zero, kernel.rewrite(other, kernel.algebra(target, target)))


def _step(name: str, wanted: Mapping[str, Statement], first: Run, second: Run) -> Proof:
    """One step: if the runs agree at t they agree at t + 1."""
    here = kernel.noted(kernel.specialize(_given(first.updates[name], "the update of run A: the loss is L/c"), T),
                        "run A at step t")
    linear = kernel.noted(kernel.constant_factor(1 / FACTOR, LOSS, first.at("w", T)),
                          "a constant factor goes through the gradient")
    here = kernel.noted(kernel.rewrite(linear, here), "put the gradient of L/c in")
    for equation in wanted.values():
        here = kernel.rewrite(kernel.noted(kernel.given(equation), "suppose the runs agree at step t"), here)
    here = kernel.noted(here, "write run A with the values of run B")
    there = kernel.noted(kernel.specialize(_given(second.updates[name], second.said), T),
                         "run B at step t")
    target = wanted[name].right.xreplace({T: T + 1})
    if target != there.statements[0].left:
        there = kernel.rewrite(there, kernel.algebra(target, target))
    return kernel.noted(kernel.same_right(here, there), "both right sides are equal by algebra")


def _given(equation: Statement, note: str) -> Proof:
    return kernel.noted(kernel.given(equation), note)


def one_step_equation(name: str | Optimizer = "sgd") -> tuple[sp.Expr, sp.Expr, bool]:
    """The two one-step updates of w for a gradient g, and whether they are proved equal: α(g/c) and (α/c)g."""
    rule = optimizer(name)
    g, lr = sp.Symbol("g", real=True), sp.Symbol("lr", real=True)
    there: dict[sp.Basic, sp.Expr] = {sp.Symbol("norm", real=True): sp.Abs(g)}  # of one parameter
    for d in rule.program.definitions:
        there[d.entry] = d.expr.xreplace(there)  # a new state depends on g too
    right = there[sp.Symbol("w_new", real=True)]
    sides = right.xreplace({g: g / FACTOR}), right.xreplace({lr: lr / FACTOR})
    return sides[0], sides[1], prove_equal(*sides).holds


def _counterexample(rule: Optimizer, claim: Claim, effect: Effect) -> Refutation | None:
    """Run both on L(w) = w²/2 of one parameter, whose gradient at w is w, until the parameters are certainly different."""
    tries = itertools.product((sp.Integer(10), sp.Integer(2)), map(sp.Integer, STARTS), (1, 2, 3))
    whole = rule.with_settings(**dict.fromkeys(effect.zeros, 0)) if effect.zeros else rule
    for c, start, steps in itertools.chain(tries, ((sp.Integer(10), sp.S.One, n) for n in LATER)):
        other = whole.with_settings(**{k: rule.settings[k] * c for k in effect.changed}) if effect.changed else whole
        runs = ((whole, 1 / c, sp.S.One), (other, sp.S.One, 1 / c if effect.divides_rate else sp.S.One))
        try:
            ends = [_minimize(one, start, a, b, steps, 256) for one, a, b in runs]
        except (DomainError, ZeroDivisionError):  # the rule is not defined here
            continue
        gap = ends[0] - ends[1]
        if not (gap == 0 if not hasattr(gap, "contains") else gap.contains(0)):
            case = (("L(w)", "w²/2"), ("the start", str(start)), ("c", str(c)), ("α", str(rule.settings["lr"])), ("steps", str(steps)),
                    *[(k, str(v)) for k, v in whole.settings.items() if k != "lr"])
            left, right = (decimal(partial(_minimize, one, start, a, b, steps), 10).text for one, a, b in runs)
            return Refutation(claim, case, left, right, "; ".join(rule.remarks) or "the update treats a factor in the gradient otherwise "
                              "than the same factor in the learning rate", (_fraction(ends[0]), _fraction(ends[1])))
    return None


def _fraction(value: Any) -> str:
    """An exact value as a fraction that can be read; "" for a ball, and for one that is too long."""
    text = "" if hasattr(value, "contains") else str(value)
    return text if len(text) <= 30 else ""


def _minimize(rule: Optimizer, start: sp.Rational, loss: sp.Rational, rate: sp.Rational, steps: int, bits: int) -> Any:
    """The parameter after some steps on loss·w²/2 with the rate multiplied by ``rate``, exact or as a ball."""
    from flint import ctx

    with ctx.workprec(bits):
        values = {sp.Symbol(k, real=True): to_flint(v) for k, v in rule.settings.items()}
        values[sp.Symbol("lr", real=True)] = to_flint(rule.settings["lr"] * rate)
        state = {"w": to_flint(start), **{old: to_flint(sp.S.Zero) for old, _ in rule.states}}
        for step in range(1, steps + 1):
            values |= {sp.Symbol(k, real=True): v for k, v in state.items()}
            values |= {sp.Symbol("g", real=True): to_flint(loss) * state["w"],
                       sp.Symbol("t", real=True): to_flint(sp.Integer(step))}
            values[sp.Symbol("norm", real=True)] = abs(values[sp.Symbol("g", real=True)])  # of the only gradient there is
            for d in rule.program.definitions:
                values[d.entry] = compute(d.expr, values)
            state = {old: values[sp.Symbol(new, real=True)] for old, new in (("w", "w_new"), *rule.states)}
        return state["w"]
