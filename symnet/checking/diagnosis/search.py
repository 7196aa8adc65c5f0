"""The search: everything that may explain an answer is sifted by numbers, and the likeliest that is proved is named."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice

import sympy as sp

from symnet.checking.diagnosis.assumed import assumed
from symnet.checking.diagnosis.case import Case, Claim
from symnet.checking.diagnosis.chain_slips import chain_slips
from symnet.checking.diagnosis.edits import answer_edits, truth_edits
from symnet.checking.diagnosis.finding import Finding, say, truth_text
from symnet.checking.diagnosis.kinds import RANK, WHOLE, Mistake, mistake
from symnet.checking.diagnosis.proof import proved
from symnet.checking.diagnosis.shapes import shape_slips
from symnet.checking.diagnosis.turned import reversed_difference
from symnet.checking.diagnosis.written import written_slips
from symnet.checking.reading import is_latex, read_answer
from symnet.core.derivation import Derivation
from symnet.core.expressions import as_written
from symnet.core.signatures import checked
from symnet.errors import OptionError, ShapeError, SymnetError, a_kind
from symnet.indexing.index_array import IndexArray, number

MOST, PROOFS = 3000, 10  # findings sifted, proofs tried
NEAR = 1e-8
FIRST = {"missing use", "missing time", "exponential derivative"}  # these look like a factor where all uses give the same
Level = tuple[int, int, int]


@checked
def diagnose(answer: str | sp.Expr | IndexArray, derivation: Derivation, wrt: str, written: str = "",
             latex: bool | None = None) -> Mistake | None:
    """The slip in a wrong ``answer`` for the gradient with respect to ``wrt``, or None when no slip (with at most a sign or a 2
    besides) explains it.

    ``answer`` is plain maths or LaTeX (``latex`` says which, by default its looks do), or what was read from ``written``. No slip is
    named unless the answer with the slip undone is proved right, or, which is the same, the answer is proved to be what the
    derivation gives with the slip in it. A text whose shapes do not fit has no meaning, but may have one with the slip undone.
    Raises ParseError or NameError_ for a text that cannot be read.

    >>> import symnet as sn
    >>> d = sn.derive(sn.program("z = w*x", "L = (z - y)**2"), wrt=["w"])
    >>> diagnose("2*(w*x - y)", d, "w").message
    'the factor dz/dw = x is missing'
    """
    if not isinstance(answer, (str, sp.Expr, IndexArray)):
        raise OptionError("diagnose", f"{a_kind(answer)} for an answer", "text, or a SymPy expression")
    text = answer if isinstance(answer, str) else written
    plain = "" if (is_latex(text) if latex is None else latex) else text
    try:
        value = read_answer(answer, derivation, wrt, latex=latex) if isinstance(answer, str) else answer
    except ShapeError:
        return _unfitting(plain, derivation, wrt) if plain else None
    try:
        case = Case.of(value if isinstance(value, IndexArray) else number(value), derivation, wrt)
        if text:
            with as_written():
                case.written = read_answer(text, derivation, wrt, latex=latex)
        return _search(case, plain)
    except (SymnetError, RecursionError):
        return None


def _unfitting(plain: str, derivation: Derivation, wrt: str) -> Mistake | None:
    """The slip in a text that has no meaning, as the shapes of a product do not fit."""
    try:
        case = Case.of(number(sp.S.NaN), derivation, wrt)
        return None if case.world is None else _named(case, _sifted(case, written_slips(case, plain)))
    except (SymnetError, RecursionError):
        return None


def _search(case: Case, written: str) -> Mistake | None:
    if case.world is None:
        return None
    whole = Claim(case.value, case.gradient)
    ratio = case.ratio(whole)
    if ratio is not None and abs(ratio - 1) < NEAR:
        return None
    if ratio is not None:
        first = [f for f in chain_slips(case) if f.kind in FIRST] if abs(abs(ratio) - 1) > NEAR and _several(case) else []
        found = _named(case, [s for s in _sifted(case, iter(first)) if s[0][0] == 0]) or _constant(case, whole, ratio)
        if found is not None:
            return found
    natural = _assumed(case, True)
    if natural is not None:
        return natural
    sifted = [s for group in (shape_slips, chain_slips, answer_edits, truth_edits) for s in _sifted(case, group(case))]
    fits = tuple(a.size for a in case.value.axes) == case.truth.shape
    if written and not (fits and any(s[0][0] == 0 for s in sifted)):
        sifted += _sifted(case, written_slips(case, written))
    single = [s for s in sifted if s[0][0] == 0]
    return _named(case, single) or _assumed(case, False) or _named(case, [s for s in sifted if s[0][0] > 0])


def _several(case: Case) -> bool:
    """A variable is used more than once, or stands in an exponent: then a factor may come from that."""
    return any(len(links) > 1 for links in case.chain.links.values()) or any(
        p.base.is_number for d in case.program.definitions for p in d.expr.atoms(sp.Pow))


def _sifted(case: Case, findings: Iterator[Finding]) -> list[tuple[Level, Finding, sp.Expr]]:
    """What agrees at the points, up to a sign or a factor 2, with its place in the order of likelihood."""
    kept: list[tuple[Level, Finding, sp.Expr]] = []
    for f in islice(_orderly(findings), MOST):
        if case.late:
            break
        try:
            ratio = case.ratio(f.claim)
        except SymnetError:
            continue
        for level, exact in enumerate((sp.S.One, -sp.S.One, sp.Integer(2), sp.Rational(1, 2))):
            if ratio is not None and abs(ratio / float(exact) - 1) < NEAR:
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
    """The simpler of two like slips is the one that leaves the shorter formula."""
    if isinstance(f.undo, IndexArray):
        return int(f.undo.expr.count_ops())
    return len(f.undo or "") + len(str(f.words.get("wrong", "")))


def _named(case: Case, sifted: list[tuple[Level, Finding, sp.Expr]]) -> Mistake | None:
    """The first that is proved."""
    for level, f, ratio in sorted(sifted, key=lambda s: s[0])[:PROOFS]:
        if not proved(case, f.claim, ratio):
            continue
        try:
            words = f.said(case)
        except SymnetError:  # no form in plain maths
            continue
        if level[0] == 2:
            words |= {"also": "2", "also_missing": "missing" if ratio < 1 else "too much"}
        return mistake(f.kind, words, _undone(case, f, ratio), f.text(case, f.place), ("", "sign", "constant")[level[0]])
    return None


def _undone(case: Case, f: Finding, ratio: sp.Expr) -> str:
    """The answer with the slip undone, and the second one too."""
    if f.undo is None:
        return truth_text(case)
    if isinstance(f.undo, str):
        return f.undo if ratio == 1 else f"-({f.undo})" if ratio == -1 else f"{1 / ratio}*({f.undo})"
    return say(case, f.undo.expr / ratio, f.undo)


def _constant(case: Case, whole: Claim, ratio: float) -> Mistake | None:
    """The whole answer has a wrong factor."""
    turned = reversed_difference(case, case.written.expr) if abs(ratio + 1) < NEAR else None
    if turned is not None and proved(case, whole, sp.S.NegativeOne):
        wrong, undone = turned
        words = {"wrong": say(case, wrong, case.written), "right": say(case, sp.Add(*[-t for t in wrong.args]), case.written)}
        return mistake("difference reversed", words, say(case, undone, case.written), words["wrong"])
    for kind, words, exact, second in _constants(case):
        if abs(ratio / float(exact.xreplace(_numbers(case))) - 1) < NEAR and proved(case, whole, exact):
            undo = IndexArray.over(case.value.axes, case.value.indices, case.value.expr / exact)
            return mistake(kind, words, say(case, undo.expr, undo), WHOLE, second)
    return None


def _numbers(case: Case) -> dict[sp.Symbol, sp.Expr]:
    return {s: sp.Integer(n) for s, n in case.numbers_for().items()}


def _constants(case: Case) -> Iterator[tuple[str, dict[str, str], sp.Expr, str]]:
    """(kind, words, answer/truth, second slip): the usual factors."""
    yield "sign", {}, sp.S.NegativeOne, ""
    for both in (1, -1):
        second = "" if both == 1 else "sign"
        for s in case.sizes:
            yield "sum for mean", {"size": str(s)}, both * s, second
            yield "mean for sum", {"size": str(s)}, both / s, second
        for a in case.sizes:
            for b in case.sizes:
                if a != b:
                    yield "wrong size", {"wrong": str(b), "right": str(a)}, both * a / b, second
        rate = case.given.meta.get("learning_rate")
        if rate is not None:
            yield "learning rate", {"rate": str(rate)}, both * rate, second
        yield "log base", {"factor": "1/ln 2", "missing": "missing"}, both * sp.log(2), second
        yield "log base", {"factor": "1/(ln 2)²", "missing": "missing"}, both * sp.log(2) ** 2, second
        yield "log base", {"factor": "1/ln 2", "missing": "too much"}, both / sp.log(2), second
    value = case.ratio(Claim(case.value, case.gradient)) or 1.0
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


def _assumed(case: Case, natural: bool) -> Mistake | None:
    """Right under an assumption that was not declared; ``natural`` are those that people take for granted."""
    found = assumed(case, natural)
    if found is None:
        return None
    words, sign = found
    return mistake("hidden assumption", {"assumption": words}, truth_text(case), WHOLE, "" if sign == 1 else "sign")
