"""The search: everything that may explain an answer is sifted by numbers, and the likeliest that is proved is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from typing import Any

import sympy as sp

from symnet.checking.claims import in_names_of, in_tensors_of
from symnet.checking.line_matching import LineMatching
from symnet.checking.reading import is_latex, read_answer
from symnet.checking.slips.answer_edits import answer_edits, truth_edits
from symnet.checking.slips.forward_slips import forward_slips
from symnet.checking.slips.hidden_assumptions import assumed
from symnet.checking.slips.kinds import RANK, WHOLE, Mistake, mistake
from symnet.checking.slips.mutations import chain_slips
from symnet.checking.slips.proof import proved
from symnet.checking.slips.reversed_difference import reversed_difference
from symnet.checking.slips.setting import NEAR, Claim, Setting
from symnet.checking.slips.shape_slips import shape_slips
from symnet.checking.slips.source_edits import written_slips
from symnet.checking.slips.wording import Finding, say, truth_text, undone_text
from symnet.core.derivation import Derivation
from symnet.core.expressions import as_written
from symnet.core.program import Program
from symnet.core.signatures import checked
from symnet.errors import FaultError, OptionError, ShapeError, SymnetError, a_kind
from symnet.indexing.index_array import IndexArray, number

# by the answer itself, often
SHOWN = {"wrong axis", "transposed factor", "shifted index", "wrong variable", "neighbouring weight", "extra factor"}
LAST = 10_000
MOST, PROOFS = 3000, 10  # findings sifted, proofs tried
FIRST = {"missing use", "missing time", "exponential derivative"}  # these look like a factor where all uses give the same
Level = tuple[int, int, int]


@checked
def diagnose(answer: str | sp.Expr | IndexArray | Program, derivation: Derivation, wrt: str, written: str = "",
             latex: bool | None = None) -> Mistake | None:
    """The slip in a wrong ``answer`` for the gradient with respect to ``wrt``, or None when no slip (with at most a sign or a 2
    besides) explains it.

    ``answer`` is plain maths or LaTeX (``latex`` says which, by default its looks do), what was read from ``written``, or a
    Program whose last line is the claimed gradient: a function that was traced for all sizes. No slip is
    named unless the answer with the slip undone is proved right, or, which is the same, the answer is proved to be what the
    derivation gives with the slip in it. A text whose shapes do not fit has no meaning, but may have one with the slip undone.
    Raises ParseError or NameError_ for a text that cannot be read.

    >>> import symnet as sn
    >>> d = sn.derive(sn.program("z = w*x", "L = (z - y)**2"), wrt=["w"])
    >>> diagnose("2*(w*x - y)", d, "w").message
    'the factor dz/dw = x is missing'
    """
    if not isinstance(answer, (str, sp.Expr, IndexArray, Program)):
        raise OptionError("diagnose", f"{a_kind(answer)} for an answer", "text, a SymPy expression or a Program")
    text = answer if isinstance(answer, str) else written
    plain = "" if (is_latex(text) if latex is None else latex) else text
    try:
        claim = LineMatching(derivation).matched(in_tensors_of(answer, derivation.full)) if isinstance(answer, Program) else None
        value = read_answer(answer, derivation, wrt, latex=latex) if isinstance(answer, str) else \
            answer if claim is None else in_names_of(claim, derivation.full)
    except ShapeError:
        return _unfitting(plain, derivation, wrt) if plain else None
    try:
        setting = Setting.of(value if isinstance(value, IndexArray) else number(value), derivation, wrt)
        setting.claim = claim
        if text:
            with as_written():
                setting.written = read_answer(text, derivation, wrt, latex=latex)
        return search(setting, plain)
    except (SymnetError, RecursionError):
        return None


def slip_of(*question: Any, **options: Any) -> Mistake | None:
    """``diagnose``, for somebody whose verdict stands already: where something of ours breaks, no slip is named."""
    try:
        return diagnose(*question, **options)
    except (FaultError, MemoryError):
        raise
    except Exception:
        return None


def _unfitting(plain: str, derivation: Derivation, wrt: str) -> Mistake | None:
    """The slip in a text that has no meaning, as the shapes of a product do not fit."""
    try:
        setting = Setting.of(number(sp.S.NaN), derivation, wrt)
        return None if setting.sampled is None else _named(setting, _sifted(setting, written_slips(setting, plain)))
    except (SymnetError, RecursionError):
        return None


def search(setting: Setting, written: str = "") -> Mistake | None:
    """The slip that explains the claim of the setting; ``written`` is its text in plain maths, where it has one."""
    if setting.sampled is None:
        return None
    whole = Claim(setting.value, setting.gradient)
    ratio = setting.ratio(whole)
    if ratio is not None and abs(ratio - 1) < NEAR:
        return None
    if ratio is not None:
        first = [f for f in chain_slips(setting) if f.kind in FIRST] if abs(abs(ratio) - 1) > NEAR and _several(setting) else []
        found = _named(setting, [s for s in _sifted(setting, iter(first)) if s[0][0] == 0]) or _constant(setting, whole, ratio)
        if found is not None:
            return found
    if setting.named_before:  # one slip in a function makes several of its values wrong
        known = [f for f in chain_slips(setting) if f.claim.changed in setting.named_before]
        found = _named(setting, [s for s in _sifted(setting, iter(known)) if s[0][0] == 0])
        if found is not None:
            return found
    natural = _assumed(setting, True)
    if natural is not None:
        return natural
    sifted = [s for group in (shape_slips, chain_slips, answer_edits) for s in _sifted(setting, group(setting))]
    if setting.entrywise is None or not any(s[0][0] == 0 for s in sifted):
        sifted += _sifted(setting, truth_edits(setting))
    fits = tuple(a.size for a in setting.value.axes) == setting.truth.shape
    if not any(s[0][0] == 0 for s in sifted):
        sifted += _sifted(setting, forward_slips(setting))
    if written and not (fits and any(s[0][0] == 0 for s in sifted)):
        sifted += _sifted(setting, written_slips(setting, written))
    single = [s for s in sifted if s[0][0] == 0]
    return _named(setting, single) or _assumed(setting, False) or _named(setting, [s for s in sifted if s[0][0] > 0])


def _several(setting: Setting) -> bool:
    """A variable is used more than once, or stands in an exponent: then a factor may come from that."""
    return any(len(links) > 1 for links in setting.chain.links.values()) or any(
        p.base.is_number for d in setting.program.definitions for p in d.expr.atoms(sp.Pow))


def _sifted(setting: Setting, findings: Iterator[Finding]) -> list[tuple[Level, Finding, sp.Expr]]:
    """What agrees at the points, up to a sign or a factor 2, with its place in the order of likelihood."""
    kept: list[tuple[Level, Finding, sp.Expr]] = []
    for f in islice(_orderly(findings), MOST):
        if setting.late:
            break
        try:
            ratio = setting.ratio(f.claim)
        except SymnetError:
            continue
        for level, exact in enumerate((sp.S.One, -sp.S.One, sp.Integer(2), sp.Rational(1, 2))):
            if setting.agrees(f.claim, ratio, exact):
                kept.append(((min(level, 2), RANK[f.kind], _length(f)), f, exact))
    return kept


def _orderly(findings: Iterator[Finding]) -> Iterator[Finding]:
    """The findings as long as SymPy can make them: it will not compare what has no place in an order, such as 1/0 < y."""
    try:
        yield from findings
    except (TypeError, ValueError) as error:
        if isinstance(error, SymnetError) or "compar" not in str(error):
            raise


def _length(f: Finding) -> int:
    """The simpler of two like slips is the one that leaves the shorter formula; where the answer itself shows one, that is told."""
    if isinstance(f.undo, IndexArray):
        return int(f.undo.expr.count_ops())
    return len(f.undo or "") + len(str(f.words.get("wrong", ""))) + (LAST if f.undo is None and f.kind in SHOWN else 0)


def _named(setting: Setting, sifted: list[tuple[Level, Finding, sp.Expr]]) -> Mistake | None:
    """The first that is proved."""
    for level, f, ratio in sorted(sifted, key=lambda s: s[0])[:PROOFS]:
        if not proved(setting, f.claim, ratio):
            continue
        try:
            words = f.said(setting)
        except SymnetError:  # no form in plain maths
            continue
        if level[0] == 2:
            words |= {"also": "2", "also_missing": "missing" if ratio < 1 else "too much"}
        setting.named_before += [f.claim.changed] if f.claim.changed is not None else []
        return mistake(f.kind, words, _undone(setting, f, ratio), f.text(setting, f.place), ("", "sign", "constant")[level[0]])
    return None


def _undone(setting: Setting, f: Finding, ratio: sp.Expr) -> str:
    """The answer with the slip undone, and the second one too."""
    if f.undo is None:
        return truth_text(setting)
    if isinstance(f.undo, str):
        return f.undo if ratio == 1 else f"-({f.undo})" if ratio == -1 else f"{1 / ratio}*({f.undo})"
    return undone_text(setting, replace(f.undo, expr=f.undo.expr / ratio))


def _constant(setting: Setting, whole: Claim, ratio: float) -> Mistake | None:
    """The whole answer has a wrong factor."""
    turned = reversed_difference(setting) if abs(ratio + 1) < NEAR else None
    if turned is not None and proved(setting, whole, sp.S.NegativeOne):
        wrong, undone = turned
        words = {"wrong": say(setting, wrong, setting.written), "right": say(setting, sp.Add(*[-t for t in wrong.args]), setting.written)}
        return mistake("difference reversed", words, undone_text(setting, replace(setting.written, expr=undone)), words["wrong"])
    for kind, words, exact, second in _constants(setting):
        if setting.agrees(whole, ratio, exact) and proved(setting, whole, exact):
            undo = IndexArray.over(setting.value.axes, setting.value.indices, setting.value.expr / exact)
            return mistake(kind, words, undone_text(setting, undo), WHOLE, second)
    return None


def _constants(setting: Setting) -> Iterator[tuple[str, dict[str, str], sp.Expr, str]]:
    """(kind, words, answer/truth, second slip): the usual factors."""
    yield "sign", {}, sp.S.NegativeOne, ""
    for both in (1, -1):
        second = "" if both == 1 else "sign"
        for s in setting.sizes:
            yield "sum for mean", {"size": str(s)}, both * s, second
            yield "mean for sum", {"size": str(s)}, both / s, second
        for a in setting.sizes:
            for b in setting.sizes:
                if a != b:
                    yield "wrong size", {"wrong": str(b), "right": str(a)}, both * a / b, second
        rate = setting.given.meta.get("learning_rate")
        if rate is not None:
            yield "learning rate", {"rate": str(rate)}, both * rate, second
        yield "log base", {"factor": "1/ln 2", "missing": "missing"}, both * sp.log(2), second
        yield "log base", {"factor": "1/(ln 2)²", "missing": "missing"}, both * sp.log(2) ** 2, second
        yield "log base", {"factor": "1/ln 2", "missing": "too much"}, both / sp.log(2), second
    value = setting.ratio(Claim(setting.value, setting.gradient)) or 1.0
    exact = Fraction(value).limit_denominator(1000)
    if exact and abs(float(exact) / value - 1) < 1e-10:
        size = abs(sp.Rational(exact.numerator, exact.denominator))
        second = "sign" if exact < 0 else ""
        if size < 1 and size.p == 1:
            yield "constant", {"factor": str(1 / size), "missing": "missing"}, sp.sign(exact) * size, second
        elif size.q == 1:
            yield "constant", {"factor": str(size), "missing": "too much"}, sp.sign(exact) * size, second
        else:
            yield "constant", {"factor": str(1 / size), "missing": "missing"}, sp.sign(exact) * size, second


def _assumed(setting: Setting, natural: bool) -> Mistake | None:
    """Right under an assumption that was not declared; ``natural`` are those that people take for granted."""
    found = assumed(setting, natural)
    if found is None:
        return None
    words, sign = found
    return mistake("hidden assumption", {"assumption": words}, truth_text(setting), WHOLE, "" if sign == 1 else "sign")
