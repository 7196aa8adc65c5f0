"""Random recurrences: lags, directions, coupled tensors, grids, sums over all earlier places, boundary slices and cases, scale factors.

The oracle computes the same entries one by one, each when it is asked for, and is differentiated by JAX in float64.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import symnet as sn
from symnet.backends.dialects import library_source

jax.config.update("jax_enable_x64", True)
EXAMPLES = int(os.environ.get("SYMNET_RECURRENCES", "30"))
SCALE = st.sampled_from(["1", "-1", "2", "0.5", "-1.5", "a", "b", "-a/2"])
FUNCTION = st.sampled_from(["{}", "{}", "tanh({})", "sin({})", "({})**2/2", "sigmoid({})"])
OF = {"{}": lambda v: v, "tanh({})": jnp.tanh, "sin({})": jnp.sin, "({})**2/2": lambda v: v**2 / 2, "sigmoid({})": jax.nn.sigmoid}
NUMBER = {"1": lambda p: 1.0, "-1": lambda p: -1.0, "2": lambda p: 2.0, "0.5": lambda p: 0.5, "-1.5": lambda p: -1.5,
          "a": lambda p: p["a"], "b": lambda p: p["b"], "-a/2": lambda p: -p["a"] / 2}


@dataclass(frozen=True)
class Term:
    """scale · function(u[place + shift]), times x at this place when ``data``; 0 where the shifted place is outside.

    ``shift`` None is the sum over all earlier places (in the direction ``ahead``)."""

    scale: str
    function: str
    name: str
    shift: tuple[int, ...] | None
    data: bool
    ahead: int = -1


@dataclass(frozen=True)
class Tensor:
    """A tensor by its terms; ``bases`` places at the end where it starts are given by slices of their own."""

    name: str
    terms: tuple[Term, ...]
    ahead: int
    bases: int = 0


LETTERS, SIZES = "ti", "TI"


def entry(name: str, shift: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(c + (f'{s:+d}' if s else '') for c, s in zip(LETTERS, shift, strict=False))}]"


def exists(shift: tuple[int, ...]) -> str:
    parts = [f"{c} > {-s}" if s < 0 else f"{c} + {s} <= {n}" for c, n, s in zip(LETTERS, SIZES, shift, strict=False) if s]
    return " and ".join(parts)


def written(term: Term, cased: bool = True) -> str:
    if term.shift is None:
        first, last = ("1", "t-1") if term.ahead < 0 else ("t+1", "T")
        inner = f"sum({term.function.format(term.name + '[j]')} for j in {first}..{last})"
        return f"({term.scale})*{inner}"
    value = f"({term.scale})*{term.function.format(entry(term.name, term.shift))}"
    value += f"*x[{', '.join(LETTERS[:len(term.shift)])}]" if term.data else ""
    return f"({value} if {exists(term.shift)} else 0)" if cased and any(term.shift) else value


def lines(tensors: tuple[Tensor, ...], rank: int) -> list[str]:
    made = []
    for k, t in enumerate(tensors):
        for base in range(t.bases):
            place = str(base + 1) if t.ahead < 0 else "T" if base == 0 else f"T-{base}"
            made.append(f"{t.name}[{place}] = s*{base + 2}")
        bare = {m.shift for m in t.terms if t.bases and m.name == t.name}  # inside the slice these need no case
        right = " + ".join(written(m, m.shift not in bare) for m in t.terms) or "0"
        span = "" if not t.bases else f" for t in {t.bases + 1}..T" if t.ahead < 0 else f" for t in 1..T-{t.bases}"
        made.append(f"{t.name}[{', '.join(LETTERS[:rank])}] = x[{', '.join(LETTERS[:rank])}]*{k + 1} + {right}{span}")
    return made


def oracle(tensors: tuple[Tensor, ...], p: Mapping[str, Any], shape: tuple[int, ...]) -> Any:
    known: dict[tuple[str, tuple[int, ...]], Any] = {}
    by_name = {t.name: (k, t) for k, t in enumerate(tensors)}

    def at(name: str, place: tuple[int, ...]) -> Any:
        if (name, place) not in known:
            known[name, place] = compute(name, place)
        return known[name, place]

    def compute(name: str, place: tuple[int, ...]) -> Any:
        k, t = by_name[name]
        from_start = place[0] - 1 if t.ahead < 0 else shape[0] - place[0]
        if from_start < t.bases:
            return p["s"] * (from_start + 2)
        value = p["x"][tuple(c - 1 for c in place)] * (k + 1)
        for term in t.terms:
            if term.shift is None:
                earlier = range(1, place[0]) if term.ahead < 0 else range(place[0] + 1, shape[0] + 1)
                for j in earlier:
                    value = value + NUMBER[term.scale](p) * OF[term.function](at(term.name, (j,)))
                continue
            there = tuple(c + s for c, s in zip(place, term.shift, strict=True))
            if all(1 <= c <= n for c, n in zip(there, shape, strict=True)):
                one = NUMBER[term.scale](p) * OF[term.function](at(term.name, there))
                value = value + (one * p["x"][tuple(c - 1 for c in place)] if term.data else one)
        return value

    return sum((k + 1) * at(t.name, tuple(c + 1 for c in place)) ** 2 / 4 for k, t in enumerate(tensors) for place in np.ndindex(*shape))


@st.composite
def series(draw: Any) -> tuple[Tensor, ...]:
    """One to three tensors over time, each running up or down; what looks the other way uses finished tensors alone."""
    made: list[Tensor] = []
    directions = [draw(st.sampled_from([-1, -1, 1])) for _ in range(draw(st.integers(1, 3)))]
    for k, ahead in enumerate(directions):
        same = [n for n, a in enumerate(directions) if a == ahead]
        bases = draw(st.sampled_from([0, 0, 1, 2]))
        terms = []
        for _ in range(draw(st.integers(1, 3))):
            other = draw(st.sampled_from(range(max(k + 1, same[-1] + 1))))
            if other == k and draw(st.booleans()) and not bases:
                terms.append(Term(draw(SCALE), draw(FUNCTION), f"u{k}", None, False, ahead))
                continue
            if other != k and directions[other] != ahead and other > k:
                continue
            if directions[other] != ahead and _uses(made, other, k):
                continue
            least = 1 if other >= k else 0
            shift = ahead * draw(st.integers(least, bases if other == k and bases else 3))
            terms.append(Term(draw(SCALE), draw(FUNCTION), f"u{other}", (shift,), draw(st.booleans()), ahead))
        made.append(Tensor(f"u{k}", tuple(terms), ahead, bases))
    return _ordered(made)


def _ordered(made: list[Tensor]) -> tuple[Tensor, ...]:
    """Without the uses of later tensors that do not use this one back: those would be a name from below."""
    for _ in made:
        made = [replace(t, terms=tuple(m for m in t.terms if m.name <= t.name or _uses(made, int(m.name[1:]), k))) for k, t in enumerate(made)]
    return tuple(made)


def _uses(made: list[Tensor], other: int, target: int) -> bool:
    """True when tensor ``other`` depends on ``target``, directly or not."""
    seen, stack = set[str](), [f"u{other}"]
    while stack:
        name = stack.pop()
        for t in made:
            if t.name == name:
                for m in t.terms:
                    if m.name not in seen:
                        seen.add(m.name)
                        stack.append(m.name)
    return f"u{target}" in seen


@st.composite
def grids(draw: Any) -> tuple[Tensor, ...]:
    """One or two tensors over two axes; every use looks back in the lexicographic order of the axes in some order and direction."""
    major = draw(st.integers(0, 1))
    up = (draw(st.sampled_from([-1, 1])), draw(st.sampled_from([-1, 1])))
    made = []
    count = draw(st.integers(1, 2))
    for k in range(count):
        terms = []
        for _ in range(draw(st.integers(1, 3))):
            shift = [0, 0]
            if draw(st.booleans()):
                shift[major] = up[major] * draw(st.integers(1, 2))
                shift[1 - major] = draw(st.integers(-2, 2))
            else:
                shift[1 - major] = up[1 - major] * draw(st.integers(1, 2))
            terms.append(Term(draw(SCALE), draw(FUNCTION), f"u{draw(st.integers(0, count - 1))}", (shift[0], shift[1]), draw(st.booleans())))
        made.append(Tensor(f"u{k}", tuple(terms), -1))
    return _ordered(made)


def judge(tensors: tuple[Tensor, ...], shape: tuple[int, ...], seed: int) -> None:
    rank = len(shape)
    over = " ".join(f"for {c} in 1..{n}" for c, n in zip(LETTERS, SIZES[:rank], strict=False))
    goal = "L = " + " + ".join(f"{k + 1}*sum({entry(t.name, (0,) * rank)}**2 {over})/4" for k, t in enumerate(tensors))
    axes = tuple(SIZES[:rank])
    program = sn.program(*lines(tensors, rank), goal, tensors={"x": axes, "a": (), "b": (), "s": (), **{t.name: axes for t in tensors}})
    d = sn.derive(program, wrt=["x", "a", "b", "s"])
    rng = np.random.default_rng(seed)
    arrays: dict[str, Any] = {"x": rng.integers(-12, 13, size=shape) / 16, "a": 0.75, "b": -0.625, "s": 0.375}
    given_ = {n: jnp.asarray(v, dtype=jnp.float64) for n, v in arrays.items()}
    value, gradients = jax.value_and_grad(lambda p: oracle(tensors, p, shape) + 0.0 * sum(jnp.sum(v) for v in p.values()))(given_)
    space: dict[str, Any] = {}
    exec(library_source(d, "jax"), space)
    at = d.at({n: [Fraction(float(v)) for v in a] if np.ndim(a) == 1 else np.vectorize(Fraction, otypes=[object])(a).tolist()
               if np.ndim(a) else Fraction(a) for n, a in arrays.items()})

    def floats(nested: Any) -> Any:
        return [floats(v) for v in nested] if isinstance(nested, list) else float(nested.mid())

    with np.errstate(all="raise", under="ignore"):
        compiled = d.compile()(arrays)
    exact = floats(at.ball("L")), {n: floats(at.ball(d.gradient_name(n))) for n in d.wrt}
    for what, (found, slopes) in {"compiled": compiled, "jax": space["value_and_grad"](**arrays), "exact": exact}.items():
        assert np.allclose(float(found), float(value), rtol=1e-10, atol=1e-11), (what, program)
        for n, g in gradients.items():
            assert np.allclose(np.asarray(slopes[n], dtype=float), np.asarray(g), rtol=1e-9, atol=1e-10), (what, n, str(program))
    for step in d.steps:
        assert step.check(), (str(program), str(step.definition), step.check().reason)


@settings(max_examples=EXAMPLES, deadline=None, derandomize="SYMNET_RECURRENCES" not in os.environ)
@given(series(), st.integers(0, 4), st.integers(0, 99))
def test_any_series_is_right_in_every_target(tensors: tuple[Tensor, ...], steps: int, seed: int) -> None:
    judge(tensors, (max(1, *(t.bases for t in tensors)) + steps,), seed)


@settings(max_examples=EXAMPLES // 2, deadline=None, derandomize="SYMNET_RECURRENCES" not in os.environ)
@given(grids(), st.integers(1, 4), st.integers(1, 4), st.integers(0, 99))
def test_any_grid_is_right_in_every_target(tensors: tuple[Tensor, ...], rows: int, columns: int, seed: int) -> None:
    judge(tensors, (rows, columns), seed)
