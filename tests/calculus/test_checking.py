"""The law of the whole room: every step of every derivation passes its independent check, and a wrong step does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import pytest
import sympy as sp

import symnet as sn
from symnet.calculus import derive
from symnet.calculus.checking import check_derivation, check_step
from symnet.core.derivation import Contribution, Derivation, Rule, Step
from symnet.core.expressions import When, as_written
from symnet.core.program import Assumption, Program
from symnet.core.tensors import entry_indices, tensor_name
from symnet.errors import FaultError
from symnet.networks.architectures import conv1d, deep_mlp, mlp, rnn, unrolled_mlp
from symnet.networks.convolution import Convolution


def net(*layers: object, loss: object = None) -> Program:
    return sn.Sequential(*layers).program(loss or sn.MSELoss())  # type: ignore[arg-type]


def lines(*text: str, **tensors: object) -> Program:
    return sn.program(*text, tensors=tensors or None)


def scalar_chain() -> Program:
    return lines("z = w*x + b", "a = sigmoid(z)", "c = log(1 + a**2)", "L = exp(-c)*sin(a)/sqrt(a + 1) + (a - y)**3")


ARCHITECTURES: dict[str, Callable[[], Program]] = {
    "mlp": mlp,
    "mlp, shares declared": lambda: mlp(normalized=True),
    "mlp at integers": lambda: mlp(3, 4, 2),
    "unrolled mlp": lambda: unrolled_mlp(2, 3),
    "deep mlp": deep_mlp,
    "rnn": rnn,
    "conv1d": conv1d,
    "conv1d, stride 2": lambda: conv1d(stride=2),
    "conv1d, stride 3": lambda: conv1d(stride=3),
    "conv1d in a batch": lambda: net(Convolution("K", "M"), sn.Tanh()),
    "binary cross-entropy": lambda: net(sn.Linear("d", "h"), sn.Sigmoid(), loss=sn.BCELoss()),
    "relu": lambda: net(sn.Linear("d", "h"), sn.ReLU(), sn.Linear("h", "k")),
    "leaky relu": lambda: net(sn.Linear("d", "h"), sn.LeakyReLU(), sn.Linear("h", "k")),
    "softplus": lambda: net(sn.Linear("d", "h"), sn.Softplus(), sn.Linear("h", "k"), loss=sn.HalfSquaredError()),
    "softmax, squared": lambda: net(sn.Linear("d", "h"), sn.Softmax(), loss=sn.SquaredError()),
    "log-softmax": lambda: net(sn.Linear("d", "h"), sn.LogSoftmax()),
    "one neuron": lambda: net(sn.Linear(1, 1), sn.Sigmoid(), sn.Linear(1, 1), sn.Sigmoid()),
    "no bias": lambda: net(sn.Linear("d", "d", bias=False), sn.Tanh(), sn.Linear("d", "d", bias=False)),
}
EXPRESSIONS: dict[str, Callable[[], Program]] = {
    "scalars": scalar_chain,
    "a weight used in every layer": lambda: lines("u = tanh(W @ x)", "v = tanh(W @ u)", "L = sum(v**2)", W=("d", "d"), x=("d",)),
    "a matrix and its transpose": lambda: lines("L = sum(A.T @ A @ A)", A=("d", "d")),
    "a trace": lambda: lines("L = trace(A @ B @ A)", A=("d", "d"), B=("d", "d")),
    "attention": lambda: lines("p = softmax(Q @ K.T)", "O = p @ V", "L = sum(O**2)", Q=("T", "d"), K=("S", "d"), V=("S", "v")),
    "layer norm": lambda: lines("m = mean(x)", "v = mean((x - m)**2)", "u = (x - m)/sqrt(v + 1)", "L = sum(g*u**3)",
                                x=("d",), g=("d",)),
    "broadcasting": lambda: lines("c = x*y", "L = sum(c**3)", x=("N", "d"), y=("d",)),
    "a norm": lambda: lines("L = linalg.norm(A @ x)", A=("h", "d"), x=("d",)),
    "neighbours": lambda: lines("L = sum(x[i]*x[i+1]**2 for i in 1..4)", x=(5,)),
    "every second": lambda: lines("L = sum(x[2*i]*y[i]**2 for i in 1..3)", x=(7,), y=(3,)),
    "backwards": lambda: lines("L = sum(x[i]*y[6-i]**2 for i in 1..5)", x=(5,), y=(5,)),
    "off the diagonal": lambda: lines("L = sum(A[i,i+1]**2 for i in 1..3)", A=(4, 4)),
    "one place and all": lambda: lines("L = sum(x[1]*x[i]**2 for i in 1..4)", x=(4,)),
    "a two-dimensional convolution": lambda: lines(
        "z[i,j] = sum(X[i+p-1, j+q-1]*w[p,q] for p in 1..2 for q in 1..3)", "L = sum(z**2)", X=(5, 6), w=(2, 3), z=(4, 4)),
    "largest of three": lambda: lines("L = maximum(maximum(a*b, c), b)*a"),
    "cases": lambda: lines("L = x**2*y if x > 0 else y**3*x"),
    "a power of a power": lambda: lines("L = (a**2 + 1)**b"),
    "logarithms of many entries": lambda: lines("L = sum(log(W))*log(log(v))", W=("d", "h"), v=()),
    "several uses": lambda: lines("u = a*b", "v = u + a", "L = u*v*a"),
}
ALL = ARCHITECTURES | EXPRESSIONS


def derivation(name: str) -> Derivation:
    """With respect to every input."""
    made = ALL[name]()
    return derive(made, [t.name for t in made.inputs])


@pytest.mark.parametrize("name", ALL)
def test_every_step_of_every_derivation_checks(name: str) -> None:
    d = derivation(name)
    assert {s.of.name for s in d.steps} >= {t.name for t in d.program.inputs}
    for step in d.steps:
        found = step.check()
        assert found, f"{step.target.name}: {found.reason}"
        assert found.entries >= 1


@pytest.mark.parametrize(("name", "sizes"), [
    ("mlp", {"N": 2, "d": 1, "h": 3, "k": 2}), ("deep mlp", {"d": 2, "L": 3}), ("rnn", {"T": 3, "d": 1, "m": 2}),
    ("conv1d, stride 2", {"K": 3, "M": 2}), ("one neuron", {})], ids=lambda v: v if isinstance(v, str) else "")
def test_the_steps_of_an_instantiated_derivation_check(name: str, sizes: dict[str, int]) -> None:
    scalars = derivation(name).instantiate(sizes)
    assert all(not s.of.axes for s in scalars.steps)
    for step in scalars.steps[::3]:
        assert step.check(), f"{step.target.name}: {step.check().reason}"


def wrong(step: Step) -> dict[str, sp.Expr]:
    """Right sides that are slightly wrong."""
    expr, names = step.expression, {tensor_name(e) for e in step.expression.atoms(sp.Indexed)}
    made = {"sign": -expr, "factor": 2 * expr, "extra": expr + sp.Rational(1, 10**9)}
    if {"W2"} & names:
        entry = next(e for e in expr.atoms(sp.Indexed) if tensor_name(e) == "W2")
        other = next(e for e in expr.atoms(sp.Indexed) if tensor_name(e) != "W2")
        made["another name"] = expr.xreplace({entry: sp.S.One, other: 2 * other * entry - other})
    return made


def with_line(step: Step, expr: sp.Expr) -> Step:
    """The step with another right side, in its derivation and its program."""
    d = step.derivation
    assert d is not None
    line = replace(step.definition, expr=expr)
    full = Program(d.full.inputs, tuple(line if x == step.definition else x for x in d.full), d.full.objective)
    made = replace(step, definition=line)
    steps = tuple(made if s is step else s for s in d.steps)
    return replace(made, derivation=replace(d, full=full, steps=steps))


@pytest.mark.parametrize("number", [1, 2, 4, 6])
def test_a_wrong_step_does_not_check(number: int) -> None:
    step = derive(mlp()).steps[number]
    assert with_line(step, step.expression).check(), "the tampering itself does no harm"
    with as_written():
        table = wrong(step)
    for kind, expr in table.items():
        found = with_line(step, expr).check()
        assert not found, kind
        assert found.contradicted and "differs from the central difference" in found.reason


def test_a_transposed_gradient_is_caught_even_when_it_is_square() -> None:
    d = derive(ALL["a trace"](), ["A"])
    step, = d.steps
    i, j = step.definition.indices
    turned = step.expression.xreplace({i: j, j: i})
    assert not with_line(step, turned).check()


def test_the_sizes_are_all_different() -> None:
    found = derivation("mlp").steps[2].check()
    sizes = dict(found.sizes)
    assert set(sizes) == {"N", "d", "h", "k"}
    assert len(set(sizes.values())) == 4
    assert found.entries == sizes["N"] * sizes["k"], "every entry of z2"


@pytest.mark.parametrize(("made", "phrase"), [
    (lambda: lines("L = log(-1 - w**2)*w"), "log: the value"),
    (lambda: sn.program("L = sum(x)*w", tensors={"x": ("d",), "w": ()}, assumptions=["sum(x**2) == 1"]), "a plain sum of entries"),
], ids=["defined nowhere", "an assumption no point is made for"])
def test_what_cannot_be_checked_is_not_called_right(made: Callable[[], Program], phrase: str) -> None:
    for step in derive(made()).steps:
        found = step.check()
        assert not found
        assert not found.contradicted and found.reason.startswith("could not be checked: ")
        assert phrase in found.reason


def test_shares_are_respected_by_the_check_and_needed_by_the_step() -> None:
    """(p - y)/N is right only where Σy = 1: without the declaration the same line is found wrong."""
    declared = derive(mlp(normalized=True))
    step = next(s for s in declared.steps if s.of.name == "z2")
    assert step.check()
    bare = derive(mlp())
    same = next(s for s in bare.steps if s.of.name == "z2")
    renamed = step.expression.xreplace(dict(zip(step.definition.indices, same.definition.indices, strict=True)))
    assert entry_indices(same.definition.entry) == same.definition.indices
    assert not with_line(same, renamed).check()


def mutants(step: Step) -> dict[str, Step]:
    """The step with one field changed: each says something that is not so."""
    other = step.derivation.steps[0 if step.number > 1 else 1]  # type: ignore[union-attr]
    made = {
        "number": replace(step, number=step.number + 1),
        "of": replace(step, of=replace(step.of, name="another")),
        "definition, scaled": replace(step, definition=replace(step.definition, expr=7 * step.expression + 1)),
        "definition, of another step": replace(step, definition=other.definition),
        "rule": replace(step, rule=Rule.INVERSE),
        "contributions, none": replace(step, contributions=()),
        "contributions, twice": replace(step, contributions=step.contributions * 2),
        "raw": replace(step, raw=step.raw * 2),
        "inlined": replace(step, inlined=(*step.inlined, "dL_dnothing")),
        "assumptions": replace(step, assumptions=(Assumption(sp.Symbol("q"), sp.S.One),)),
        "conditions": replace(step, conditions=(*step.conditions, "the moon is full")),
        "live": replace(step, live=not step.live),
        "unassumed": replace(step, unassumed=step.raw + 1),
        "smooth": replace(step, smooth=(sp.Symbol("q"),)),
    }
    for k, c in enumerate(step.contributions):
        for kind, changed in changed_contributions(c, step.contributions[k - 1]).items():
            made[f"contribution {k}, {kind}"] = replace(step, contributions=(*step.contributions[:k], changed, *step.contributions[k + 1:]))
    free = step.definition.indices
    if len(free) == len(step.definition.ranges) == 2:
        turned = step.expression.xreplace(dict(zip(free, free[::-1], strict=True)))
        if turned != step.expression and step.definition.ranges[0][1:] == step.definition.ranges[1][1:]:
            made["definition, permuted"] = replace(step, definition=replace(step.definition, expr=turned))
    return made


def changed_contributions(c: Contribution, other: Contribution) -> dict[str, Contribution]:
    made = {"local": replace(c, local=c.local + 1), "local, scaled": replace(c, local=-c.local), "upstream": replace(c, upstream=2 * c.upstream),
            "conditions": replace(c, conditions=(sp.false,)), "occurrences": replace(c, occurrences=(sp.Symbol("unused", real=True),)),
            "occurrences, none": replace(c, occurrences=())}
    if other.through != c.through:
        made["through"] = replace(c, through=other.through)
    if c.sums:
        (i, lo, hi), rest = c.sums[0], c.sums[1:]
        made["sums"] = replace(c, sums=((i, lo, hi - 1), *rest))
    return made


def test_every_field_of_a_step_is_mutated_below() -> None:
    named = {k.split(",")[0].split(" ")[0] for k in mutants(derive(mlp()).steps[2])}
    assert named | {"derivation", "contribution"} == {f.name for f in fields(Step)} | {"contribution"}


@pytest.mark.parametrize("name", ["mlp", "rnn", "deep mlp", "conv1d, stride 2", "mlp, shares declared", "attention", "a trace", "cases",
                                  "log-softmax", "one place and all", "largest of three"])
def test_a_step_of_which_one_field_is_changed_does_not_check(name: str) -> None:
    d = derivation(name)
    for step in d.steps:
        for kind, mutant in mutants(step).items():
            found = mutant.check()
            assert not found and found.contradicted, f"{step.target.name}: {kind} is not noticed"


def test_an_assumption_that_is_used_must_be_named() -> None:
    step = next(s for s in derive(mlp(normalized=True)).steps if s.assumptions)
    silent = replace(step, assumptions=(), conditions=tuple(c for c in step.conditions if not c.startswith("declared")))
    assert "does not say so" in silent.check().reason


def test_one_wrong_entry_is_seen_among_many() -> None:
    d = derive(lines("L = sum(A**3)", A=("n", "m")), ["A"])
    step, = d.steps
    i, j = step.definition.indices
    line = replace(step.definition, expr=step.expression + When(sp.S.One, sp.And(sp.Eq(i, 2), sp.Eq(j, 3))))
    for seed in range(12):
        assert not check_step(d, replace(step, definition=line), seed)


def test_nothing_is_built_on_a_contradicted_step() -> None:
    d = derive(mlp())
    assert len(check_derivation(d)) == len(d.steps)
    broken = with_line(d.steps[2], -d.steps[2].expression).derivation
    assert broken is not None
    with pytest.raises(FaultError, match="internal fault of symnet"):
        check_derivation(broken)


def test_ties_at_zero_are_no_fault() -> None:
    """Entries of a pooled ReLU tie at 0 at nearly every point: their slopes are a convention, the others are compared."""
    made = sn.Sequential(sn.Input(2, 12), sn.ReLU(), sn.MaxPool1d(3)).program(sn.MSELoss())
    d = derive(made, ["X", "a1"])
    assert all(check_derivation(d))
    step = next(s for s in d.steps if s.of.name == "a1")
    assert 0 < step.check().entries < 2 * 2 * 12
    assert not with_line(step, -step.expression).check()


def test_a_factor_that_is_zero_at_one_size_does_not_hide_a_wrong_line() -> None:
    d = derive(lines("L = sum(A[i, l] for i in 1..n for j in 1..n-2 for l in 1..n)", A=("n", "n")), ["A"])
    step = d.steps[-1]
    assert all(s.check() for s in d.steps)
    assert not replace(step, definition=replace(step.definition, expr=2 * step.expression)).check()


def test_ties_of_numbers_that_no_digits_tell_apart_are_no_fault() -> None:
    """On a grid of maxima both ways round a corner come to the same value, here with sines in it."""
    d = derive(lines("z[0, j] = v[j] for j in 1..2", "z[0, 0] = 0", "z[i, 0] = x[i] for i in 1..4",
                     "z[i, j] = max(z[i-1, j], z[i, j-1]) + sin(r[1]) for i in 1..4 for j in 1..2",
                     "L = sum(z[i, j]**2 for i in 1..4 for j in 1..2)", x=(4,), v=(2,), r=(2,)))
    assert all(check_derivation(d))


def test_where_a_line_has_no_value_another_point_is_asked() -> None:
    """cos(norm(Q)) is smooth where every ReLU is off, but its slope as written is 0/0 there."""
    d = derive(lines("Q = relu(x)", "L = cos(norm(Q))", x=("n",)), ["x"])
    checks = check_derivation(d)
    assert all(checks)
    assert not any(with_line(s, -s.expression).check() for s in d.steps)


def test_a_wrong_line_that_is_all_but_zero_is_seen() -> None:
    """Saturated, the gradient is 1e-30 and no difference quotient tells it from its double; the balls of the lines do."""
    d = derive(lines("Q = sum(cosh(z[i]) for i in 1..m)**3", "L = sigmoid(sum(Q for i in 1..n-2 for j in 2..n)/m)", r=("n",), z=("m",)), ["z"])
    step = d.steps[-1]
    assert all(s.check() for s in d.steps)
    assert not replace(step, definition=replace(step.definition, expr=2 * step.expression)).check()
