"""Slips in the answer as it is written: one place of its formula is changed, and it must then be the right one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations

import sympy as sp

from symnet.checking.claims import in_names_of, unfolded
from symnet.checking.slips.setting import Claim, Setting
from symnet.checking.slips.wording import Finding, Word, Words, entry_of, fitting, like, renamed
from symnet.core.axes import Range
from symnet.core.expressions import entries, limits, rebuild, substitute
from symnet.core.functions import TABLE, relu, sigmoid, softplus, step
from symnet.core.program import Program
from symnet.core.tensors import Tensor, entry_indices, tensor_name
from symnet.indexing.index_array import IndexArray, number

Edit = tuple[str, Words, sp.Expr]  # kind, words, the formula then
PAIRS = 6  # factors of a product that are also taken two at a time
Local = Callable[[sp.Expr], Iterator[Edit]]
SIMILAR = (sigmoid, sp.tanh, relu, softplus, sp.sin, sp.cos, sp.sinh, sp.cosh, sp.exp, sp.log)


def everywhere(expr: sp.Expr, local: Local) -> Iterator[Edit]:
    """``local`` at every node, the rest of the formula kept."""
    yield from local(expr)
    if isinstance(expr, (sp.Indexed, sp.Symbol)):
        return
    for k, arg in enumerate(expr.args):
        if isinstance(arg, sp.Expr):
            for kind, words, changed in everywhere(arg, local):
                try:
                    whole = rebuild(expr, (*expr.args[:k], changed, *expr.args[k + 1:]))
                except (TypeError, ValueError):  # SymPy compares what has no place in an order
                    continue
                yield kind, words, whole


def answer_edits(setting: Setting) -> Iterator[Finding]:
    """Every change of one place of the answer."""
    value = setting.value
    if setting.entrywise is not None:  # it has no formula of its own
        for kind, words, expr in _factors(setting):
            yield from _finding(setting, kind, words, expr)
        return
    spans = {i: a.range for i, a in zip(value.indices, value.axes, strict=True)}
    for kind, words, expr in (*_places(value.expr, spans), *_renamed(setting, value.expr), *_factors(setting)):
        yield from _finding(setting, kind, words, expr)
    yield from _line_edits(setting)


def _places(expr: sp.Expr, spans: Mapping[sp.Symbol, Range]) -> Iterator[Edit]:
    """Every change at one place of a formula, whose free indices have these ranges."""
    for local in (_add, _mul, _pow, _function, _indices):
        yield from everywhere(expr, local)
    yield from other_axes(expr, spans)


def _line_edits(setting: Setting) -> Iterator[Finding]:
    """Every change at one place of a line on the way to the answer: what uses that line changes with it."""
    claim, full = setting.claim, setting.derivation.full
    if claim is None:
        return
    for d in claim.definitions[:-1]:
        if len(claim.by_name[d.name]) > 1 or d.name in full.tensors or not all(i.is_Symbol for i in d.indices):
            continue
        spans = {i: a.range for i, a in zip(d.indices, d.target.axes, strict=True)}
        for kind, words, expr in (*_places(d.expr, spans), *_renamed(setting, d.expr)):
            said = {key: _opened(word, claim, full) if isinstance(word, sp.Expr) else word for key, word in words.items()}
            yield from _finding(setting, kind, said, in_names_of(claim, full, replace(d, expr=expr)).expr)


def _opened(word: sp.Expr, claim: Program, full: Program) -> sp.Expr:
    """A formula without the names of lines that only code has."""
    return unfolded(number(word), full.tensors, claim.by_name).expr


def truth_edits(setting: Setting) -> Iterator[Finding]:
    """Every term or factor left out of the right formula."""
    truth = setting.named
    if truth is None:
        return

    def local(expr: sp.Expr) -> Iterator[Edit]:
        if isinstance(expr, sp.Add):
            for k, t, rest in _without_one(expr):
                yield "dropped term", {"term": t}, rest
                yield "sign of a term", {"term": t}, sp.Add(*expr.args[:k], -t, *expr.args[k + 1:])
        if isinstance(expr, sp.Piecewise):
            for branch, condition in expr.args:
                yield "missing case", {"condition": condition if condition != sp.true else _otherwise(expr)}, branch
        if isinstance(expr, step):
            yield "missing case", {"condition": expr.args[0] > 0}, sp.S.One
        if expr.func in TABLE and len(expr.args) == 1:
            yield "missing activation", {"wrong": expr.args[0], "right": expr}, expr.args[0]
        for factor, rest in _without_factors(expr):
            yield "missing factor", {"factor": factor}, rest

    def throughout() -> Iterator[Edit]:
        for name in dict.fromkeys(map(tensor_name, sorted(set(entries(truth.expr)), key=str))):
            found = [e for e in entries(truth.expr) if tensor_name(e) == name]
            yield "missing factor", {"factor": found[0]}, truth.expr.xreplace(dict.fromkeys(found, sp.S.One))

    for kind, words, expr in (*everywhere(truth.expr, local), *throughout()):
        right = IndexArray.over(truth.axes, truth.indices, expr)
        yield Finding(kind, Claim(setting.value, right), words, _place(words), value=right)


def _finding(setting: Setting, kind: str, words: Words, expr: sp.Expr) -> Iterator[Finding]:
    if not expr.has(sp.zoo, sp.nan, sp.oo):
        made = replace(setting.value, expr=expr)
        yield Finding(kind, Claim(made, setting.gradient), words, _place(words), made, setting.value)


def _otherwise(cases: sp.Piecewise) -> sp.Basic:
    """The condition of the last branch, as far as it can be said in one."""
    return sp.Not(cases.args[-2][1])


def _place(words: Words) -> Word:
    return next((words[key] for key in ("wrong", "term", "factor", "node", "condition") if key in words), "")


def _without_one(expr: sp.Expr) -> Iterator[tuple[int, sp.Expr, sp.Expr]]:
    """Each term of a sum or factor of a product with its place, and what is left without it."""
    for k, part in enumerate(expr.args):
        yield k, part, expr.func(*expr.args[:k], *expr.args[k + 1:])


def _without_factors(expr: sp.Expr) -> Iterator[tuple[sp.Expr, sp.Expr]]:
    """Each factor of a product that is no number, and each two of the first of them, and what is left; nothing for what is no product."""
    if not isinstance(expr, sp.Mul):
        return
    yield from ((factor, rest) for _, factor, rest in _without_one(expr) if not factor.is_number)
    for pair in combinations([t for t in expr.args if not t.is_number][:PAIRS], 2):
        yield sp.Mul(*pair), sp.Mul(*[t for t in expr.args if t not in pair])


def _add(expr: sp.Expr) -> Iterator[Edit]:
    if isinstance(expr, sp.Add):
        for k, t, rest in _without_one(expr):
            yield "sign of a term", {"term": t}, sp.Add(*expr.args[:k], -t, *expr.args[k + 1:])
            yield "extra term", {"term": t}, rest
            for other in [n for n in (t + 1, t - 1) if t.is_Integer and n != 0]:
                changed = sp.Add(*expr.args[:k], other, *expr.args[k + 1:])
                yield "wrong number", {"wrong": expr, "right": changed}, changed


def _mul(expr: sp.Expr) -> Iterator[Edit]:
    for factor, rest in _without_factors(expr):
        yield "extra factor", {"factor": factor}, rest
    count, rest = expr.as_coeff_Mul() if isinstance(expr, sp.Mul) else (sp.S.One, sp.S.One)
    for right in (count / 2, 2 * count) if rest != 1 and count.is_Rational else ():
        yield "wrong number", {"wrong": expr, "right": right * rest}, right * rest


def _pow(expr: sp.Expr) -> Iterator[Edit]:
    if isinstance(expr, sp.Pow) and expr.exp.is_Rational:
        for shift in (1, -1):
            changed = expr.base ** (expr.exp + shift)
            yield "wrong power", {"wrong": expr, "right": changed}, changed
    elif (isinstance(expr, (sp.Indexed, sp.Symbol, sp.Add)) or expr.func in TABLE) and expr.is_integer is not True:
        yield "wrong power", {"wrong": expr, "right": expr**2}, expr**2


def _function(expr: sp.Expr) -> Iterator[Edit]:
    if isinstance(expr, step):
        yield "reversed indicator", {"node": expr}, 1 - expr
    elif isinstance(expr, sp.Piecewise) and len(expr.args) == 2:
        (first, condition), (second, _) = expr.args
        yield "reversed indicator", {"node": expr}, sp.Piecewise((second, condition), (first, True))
    elif expr.func in SIMILAR:
        for other in SIMILAR:
            if other is not expr.func:
                changed = other(*expr.args)
                yield "another function", {"wrong": TABLE[expr.func].name, "right": TABLE[other].name}, changed
    elif isinstance(expr, (sp.Indexed, sp.Symbol)) and expr.is_integer is not True:
        for function in (sp.exp, sp.log):
            yield "missing activation", {"wrong": expr, "right": function(expr)}, function(expr)


def other_axes(expr: sp.Expr, spans: Mapping[sp.Symbol, Range]) -> Iterator[Edit]:
    """A sum over another axis: Σ_k p[n, k] for Σ_m p[m, i], and the same of a mean. ``spans`` are the ranges of the indices in scope."""
    inner = {**spans, **{i: (lo, hi) for i, lo, hi in limits(expr)}} if isinstance(expr, sp.Sum) else spans
    if isinstance(expr, sp.Sum) and len(expr.limits) == 1:
        ((k, *span),) = expr.limits
        for n in (n for n, there in spans.items() if list(there) == span):
            for i in (i for i in spans if i != n and i in expr.function.free_symbols):
                other = sp.Dummy(str(i), integer=True)
                wrong, right = span[1] - span[0] + 1, spans[i][1] - spans[i][0] + 1
                words: Words = {"wrong": f"a sum over {wrong}", "right": f"a sum over {right}"}
                changed = sp.Sum(substitute(expr.function, {k: n, i: other}), (other, *spans[i]))
                yield "wrong axis", words, changed
                if wrong != right:
                    yield "wrong axis", words, changed * wrong / right
    if isinstance(expr, (sp.Indexed, sp.Symbol)):
        return
    for k, arg in enumerate(expr.args):
        for kind, words, changed in other_axes(arg, inner) if isinstance(arg, sp.Expr) else ():
            yield kind, words, rebuild(expr, (*expr.args[:k], changed, *expr.args[k + 1:]))


def _indices(expr: sp.Expr) -> Iterator[Edit]:
    """A[i, j] for A[j, i]."""
    if isinstance(expr, sp.Indexed):
        places = entry_indices(expr)
        for k in range(len(places) - 1):
            if places[k] != places[k + 1]:
                changed = expr.base[(*places[:k], places[k + 1], places[k], *places[k + 2:])]
                yield "transposed factor", {"wrong": expr, "right": changed}, changed
        for k, place in enumerate(places):
            for shift in (-1, 1):
                changed = expr.base[(*places[:k], place + shift, *places[k + 1:])]
                yield "shifted index", {"wrong": expr, "right": changed}, changed


def _renamed(setting: Setting, expr: sp.Expr) -> Iterator[Edit]:
    """One name for another, at one place or throughout; two names exchanged; the other sign of a name throughout."""
    slopes = any(tensor_name(e) not in setting.program.tensors for e in entries(expr))
    tensors = setting.derivation.full.tensors if slopes else setting.program.tensors
    found = sorted(set(entries(expr)), key=str)
    used = [tensors[n] for n in dict.fromkeys(tensor_name(e) for e in found) if n in tensors]
    for wrong in used:
        for right in tensors.values():
            if like(wrong, right) and right.name not in (setting.program.objective, setting.truth.name):
                kind = renamed(wrong, right)
                words: Words = {"wrong": wrong.name, "right": right.name}
                yield kind, words, expr.xreplace({e: entry_of(right, e) for e in found if tensor_name(e) == wrong.name})

                def one(node: sp.Expr, wrong: Tensor = wrong, right: Tensor = right, kind: str = kind,
                        words: Words = words) -> Iterator[Edit]:
                    if isinstance(node, (sp.Indexed, sp.Symbol)) and node.is_integer is not True and tensor_name(node) == wrong.name:
                        yield kind, words, entry_of(right, node)
                    elif isinstance(node, sp.Pow) and node.exp.is_Integer and node.exp > 1 and \
                            isinstance(node.base, (sp.Indexed, sp.Symbol)) and tensor_name(node.base) == wrong.name:
                        yield kind, words, node.base ** (node.exp - 1) * entry_of(right, node.base)

                yield from everywhere(expr, one)
    for k, a in enumerate(used):
        yield "sign of a variable", {"name": a.name}, expr.xreplace({e: -e for e in found if tensor_name(e) == a.name})
        for b in used[k + 1:]:
            if like(a, b):
                there = {e: entry_of(b if tensor_name(e) == a.name else a, e) for e in found if tensor_name(e) in (a.name, b.name)}
                yield "swapped variables", {"wrong": a.name, "right": b.name}, expr.xreplace(there)


def _factors(setting: Setting) -> Iterator[Edit]:
    """A value of the forward pass, of the axes of the answer, that is missing or too much."""
    value = setting.value
    spans = {i: a.range for i, a in zip(value.indices, value.axes, strict=True)}
    inner = value.expr.function if isinstance(value.expr, sp.Sum) else None
    known = {**spans, **{i: (lo, hi) for i, lo, hi in limits(value.expr)}} if inner is not None else {}
    for t in setting.program.tensors.values():
        for letters in fitting(t, spans):
            entry = t[letters] if t.axes else t[()]
            yield "missing factor", {"factor": entry}, value.expr * entry
            if value.expr.has(entry):
                yield "extra factor", {"factor": entry}, value.expr / entry
        for letters in fitting(t, known) if inner is not None and t.axes else ():
            yield "missing factor", {"factor": t[letters]}, substitute(rebuild(value.expr, (inner * t[letters], *value.expr.args[1:])), {})
