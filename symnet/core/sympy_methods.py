"""What SymPy asks of a function beside its derivative, answered from one definition: rewriting, digits, limits, series, integrals,
LaTeX, and code in SymPy's printers, which ``lambdify`` uses too.

A row of the table says what its function is in SymPy's own functions (``Meaning``); ``teach`` gives the class the methods that SymPy
looks for. symnet's own engine asks for none of this.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import reduce, wraps
from typing import Any

import mpmath
import sympy as sp
from sympy.codegen.cfunctions import log1p
from sympy.core.evalf import prec_to_dps
from sympy.core.function import PoleError
from sympy.functions.elementary.trigonometric import TrigonometricFunction
from sympy.printing.numpy import SciPyPrinter
from sympy.printing.pycode import SymPyPrinter
from sympy.series.gruntz import sign as sign_at_infinity

# The methods by which SymPy's printers ask an object for its own code.
PYTHON = ("_pythoncode", "_lambdacode", "_numpycode", "_cupycode", "_jaxcode", "_torchcode", "_tensorflowcode", "_mpmathcode", "_cmathcode")
PRINTERS = (*PYTHON, "_numexprcode", "_ccode", "_cxxcode", "_fcode", "_julia", "_rust_code", "_octave", "_javascript", "_rcode", "_mcode",
            "_maple", "_glsl")
COMPLEX = ("_cmathcode", "_mpmathcode", "_maple", "_mcode")  # they have complex numbers, and no overflow that the exact form would meet
TYPED = ("_cxxcode", "_fcode", "_rust_code", "_glsl")  # the larger of a float and a whole number is not known to them
PLACE = re.compile(r"\{(\d?)\}")
QUALIFIED = re.compile(r"\b(?:[a-z]\w*\.)+[a-z]\w*(?=\()")  # a function of a module
ATOM = re.compile(r"[\w.]*(\((?:[^()]|\([^()]*\))*\))?")  # a name, a number, a bracket or one call
PERIODIC = (TrigonometricFunction, sp.floor, sp.ceiling, sp.frac, sp.Mod)
ENORMOUS = 4096  # bits of a number's whole part beyond which no digits of its exponential are computed


@dataclass(frozen=True, slots=True)
class Meaning:
    """A function in SymPy's own functions.

    ``pieces``: its value; or its value where the first argument is positive, and its value elsewhere. ``code``: the value for floats,
    accurate to the last digits and without overflow where infinity is a float. ``calls``: the text in the printers that need another, by
    the name of their method (and "scipy"); ``{}``, ``{0}``, ``{1}`` stand for arguments. ``rewrites``: more forms, by the rule that asks
    for them. Of a function without a kink ``ends`` are the forms for an argument that grows, and that falls, without end, and ``number``
    is the value of an mpf. ``antiderivative`` is there where SymPy finds none.
    """

    pieces: tuple[Callable[..., sp.Expr], ...] = ()
    code: Callable[..., sp.Expr] | None = None
    calls: Mapping[str, str] = field(default_factory=dict)
    rewrites: Mapping[Any, Callable[..., sp.Expr]] = field(default_factory=dict)
    ends: tuple[Callable[..., sp.Expr], ...] = ()
    number: Callable[[Any], Any] | None = None
    antiderivative: Callable[[sp.Expr], sp.Expr] | None = None

    def written(self, *args: sp.Expr) -> sp.Expr | None:
        """The function of ``args``; None where it has a kink and the argument is not real."""
        if len(self.pieces) == 1:
            return self.pieces[0](*args)
        if not self.pieces or args[0].is_extended_real is False:
            return None
        above, elsewhere = self.pieces
        return sp.Piecewise((above(*args), args[0] > 0), (elsewhere(*args), True))


MEANINGS: dict[type, Meaning] = {}


def in_sympy(expr: sp.Expr) -> sp.Expr:
    """``expr`` in SymPy's own functions alone."""
    return expr.replace(lambda e: e.func in MEANINGS, lambda e: MEANINGS[e.func].written(*e.args) or e)


def _positive(arg: sp.Expr, x: sp.Symbol, cdir: Any) -> bool:
    """True where ``arg`` is positive as x goes to 0 from the side of ``cdir``, False where it is negative or stays 0."""
    side = -1 if sp.sympify(cdir, strict=True).is_extended_negative else 1
    at = arg.limit(x, 0, "+" if side > 0 else "-")
    if at.is_zero:
        factor, power = arg.as_leading_term(x, cdir=side).as_coeff_exponent(x)
        at = factor*side**power if not factor.has(x) else sp.nan
    return _known(at, arg)


def _known(sign: sp.Expr, arg: sp.Expr) -> bool:
    """True for a positive ``sign``, False for another. SymPy's limits would otherwise take every function for continuous."""
    if sign.is_extended_positive:
        return True
    if sign.is_extended_nonpositive:
        return False
    raise NotImplementedError(f"the sign of {arg} is not known there")


def _chosen(node: sp.Expr, positive: Callable[[sp.Expr], bool]) -> sp.Expr:
    """The piece of ``node`` that holds where ``positive`` tells the signs."""
    if isinstance(node, (sp.Max, sp.Min)):
        return reduce(lambda best, a: a if positive(a - best if isinstance(node, sp.Max) else best - a) else best, node.args)
    pieces = MEANINGS[node.func].pieces
    return pieces[0 if len(pieces) == 1 or positive(node.args[0]) else 1](*node.args)


def _at_infinity(self: Any, rule: Any, args: Any, **hints: Any) -> Any:
    """``rewrite("tractable")``: what the limits of SymPy ask for, where ``limitvar`` grows without end."""
    variable = hints.get("limitvar")
    if rule != "tractable" or variable is None:
        return None
    return _chosen(self.func(*args), lambda arg: _known(sp.sympify(sign_at_infinity(in_sympy(arg), variable), strict=True), arg))


def _rewrite(self: Any, rule: Any, args: Any, **hints: Any) -> Any:
    meaning = MEANINGS[self.func]
    if rule == "tractable":
        return _at_infinity(self, rule, args, **hints) if len(meaning.pieces) == 2 else meaning.written(*args)
    if rule in meaning.rewrites:
        return meaning.rewrites[rule](*args) if meaning.written(*args) is not None else None
    return meaning.written(*args) if rule == sp.Piecewise and len(meaning.pieces) == 2 else None


def _digits(expr: sp.Expr, prec: int) -> Any:
    """``expr`` as a number right to ``prec`` bits, also where terms cancel."""
    return expr.evalf(prec_to_dps(prec) + 3)._eval_evalf(prec)


def _evalf(self: Any, prec: int) -> Any:
    """The value to ``prec`` bits."""
    meaning = MEANINGS[self.func]
    if not self.is_number:
        return None
    if len(meaning.pieces) == 2:
        positive, rest = self.args[0].is_extended_positive, self.args[0].is_extended_nonpositive
        return _digits(meaning.pieces[0 if positive else 1](*self.args), prec) if positive or rest else None
    near = self.args[0].evalf(15)
    if meaning.number is None or not near.is_Float:
        return _digits(meaning.pieces[0](*self.args), prec)
    whole = max(0, mpmath.mag(mpmath.mpf(near))) if near else 0
    if whole > ENORMOUS:
        return None
    with mpmath.workprec(prec + whole + 10):  # an exponential needs its argument to that many bits behind the point
        return sp.Expr._from_mpmath(meaning.number(self.args[0]._to_mpmath(mpmath.mp.prec)), prec)


def _leading_term(self: Any, x: Any, logx: Any = None, cdir: Any = 0) -> Any:
    """The first term where x goes to 0, of a function with a kink."""
    return _chosen(self, lambda arg: _positive(arg, x, cdir)).as_leading_term(x, logx=logx, cdir=cdir)


def _series(self: Any, x: Any, n: Any, logx: Any, cdir: Any = 0) -> Any:
    """The terms on the side of ``cdir``, of a function with a kink."""
    return _chosen(self, lambda arg: _positive(arg, x, cdir)).nseries(x, n=n, logx=logx, cdir=cdir)


def _value_there(self: Any, x: Any, logx: Any = None, cdir: Any = 0) -> Any:
    """The first term where x goes to 0, of an analytic function without zeros."""
    at = self.args[0].limit(x, 0, "-" if sp.sympify(cdir, strict=True).is_extended_negative else "+")
    if _may_be_a_pole(at):
        return MEANINGS[self.func].pieces[0](*self.args).as_leading_term(x, logx=logx, cdir=cdir)
    if at.is_finite is not True:
        raise PoleError(f"no leading term of {self} where {x} goes to 0")  # SymPy's limits then go by exponentials
    return self.func(at)


def _may_be_a_pole(at: sp.Expr) -> bool:
    return bool(at.is_number and at.is_extended_real is False)


def _taylor(self: Any, x: Any, n: Any, logx: Any, cdir: Any = 0) -> Any:
    """The terms where x goes to 0, of an analytic function."""
    if _may_be_a_pole(self.args[0].limit(x, 0)):
        return MEANINGS[self.func].pieces[0](*self.args).nseries(x, n=n, logx=logx, cdir=cdir)
    return sp.Function._eval_nseries(self, x, n=n, logx=logx, cdir=cdir)


def _asymptotic(self: Any, n: Any, args0: Any, x: Any, logx: Any) -> Any:
    """The terms where the argument grows without end."""
    if args0[0] not in (sp.oo, -sp.oo):
        raise PoleError(f"no expansion of {self} where its argument is {args0[0]}")
    return MEANINGS[self.func].ends[0 if args0[0] == sp.oo else 1](*self.args).nseries(x, n=n, logx=logx)


def _latex(operator: str) -> Callable[..., str]:
    def method(self: Any, printer: Any, exp: str | None = None) -> str:
        power = f"^{{{exp}}}" if exp is not None else ""
        return rf"{operator}{power}{{\left({', '.join(printer._print(a) for a in self.args)} \right)}}"
    return method


def _filled(template: str, args: list[str], method: str) -> str:
    """``template`` with its arguments; what stands twice is computed once where the language has a word for that."""
    places = [int(p or k) for k, p in enumerate(PLACE.findall(template))]
    if method in PYTHON and any(places.count(k) > 1 and not args[k].isidentifier() for k in places):
        names = ["z", "s"][:len(args)]
        return f"(lambda {', '.join(names)}: {_filled(template, names, method)})({', '.join(args)})"
    left = iter(places)

    def argument(place: re.Match[str]) -> str:
        text, alone = args[next(left)], template[:place.start()].endswith(("(", "[", ", ")) and template[place.end()] in "),]"
        return text if alone or ATOM.fullmatch(text) else f"({text})"
    return PLACE.sub(argument, template)


def _typed(arg: sp.Expr, printer: Any, method: str) -> str:
    """The code of an argument that is to be a float."""
    text = str(printer._print(sp.Float(arg) if arg.is_Integer and method in TYPED else arg))
    return f"({text} as f64)" if method == "_rust_code" and arg.is_integer and not arg.is_Integer else text


def _code(meaning: Meaning, method: str) -> Callable[..., str]:
    """The method that a printer asks for the code of a function."""
    def printed(self: Any, printer: Any, **_: Any) -> str:
        if isinstance(printer, SymPyPrinter) or self.func.__name__ in (printer._settings.get("user_functions") or ()):
            return str(printer._print_Function(self))
        template = meaning.calls.get("scipy") if isinstance(printer, SciPyPrinter) else None
        template = template or meaning.calls.get(method)
        if method == "_cupycode" and "_numpycode" in meaning.calls:
            template = meaning.calls["_numpycode"].replace("numpy.", "cupy.")
        floats = self.args[0].is_extended_real is not False and not (method == "_rust_code" and self.is_integer)
        if template is not None and floats:
            template = QUALIFIED.sub(lambda name: printer._module_format(name[0]), template)
            args = [_typed(a, printer, method) for a in self.args]
            return _filled(template, args, method) if meaning.pieces else reduce(lambda u, v: _filled(template, [u, v], method), args)
        form = meaning.code(*self.args) if meaning.code and floats and method not in COMPLEX else meaning.written(*self.args)
        if form is None:
            return str(printer._print_Function(self))
        if "log1p" not in printer.known_functions:
            form = form.replace(log1p, lambda u: sp.log(1 + u))
        text = printer._print(form)
        return text if ATOM.fullmatch(text) else f"({text})"
    return printed


def teach(function: Any, operator: str, meaning: Meaning) -> None:
    """Gives ``function`` the methods that SymPy looks for; ``operator`` is its LaTeX."""
    for method in PRINTERS if meaning.pieces else meaning.calls:
        setattr(function, method, _code(meaning, method))
    if meaning.ends:
        function._eval_as_leading_term, function._eval_nseries, function._eval_aseries = _value_there, _taylor, _asymptotic
    else:
        function._eval_as_leading_term, function._eval_nseries = _leading_term, _series
    function._eval_rewrite = _rewrite if meaning.pieces else _at_infinity
    if meaning.pieces:  # not one of SymPy's, whose arguments we only keep in order
        MEANINGS[function] = meaning
        function._latex = _latex(operator)
        function._eval_evalf = _evalf


def _by_rule(expr: sp.Expr, x: sp.Symbol, at: tuple[sp.Expr, ...]) -> tuple[sp.Expr, sp.Expr]:
    """The integral over x of the terms of ``expr`` that are functions with an antiderivative, of something linear in x; and the rest."""
    done, rest = sp.S.Zero, sp.S.Zero
    for term in sp.Add.make_args(expr):
        factor, body = term.as_independent(x, as_Add=False)
        rule = MEANINGS[body.func].antiderivative if body.func in MEANINGS else None
        slope = body.args[0].diff(x) if rule and body.args[0].is_extended_real is not False else sp.S.Zero
        ends = [body.args[0].subs(x, e) for e in at] if rule else []
        if rule is None or slope.is_zero is not False or slope.has(x) or any(e.is_infinite and e not in (sp.oo, -sp.oo) for e in ends):
            rest += term
            continue
        values = [rule(e) for e in ends]
        done += factor/slope*(values[-1] - (values[0] if len(values) > 1 else 0))
    return done, rest


def _with_our_functions(doit: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(doit)
    def method(self: Any, **hints: Any) -> Any:
        expr, variables = self.function, set(self.variables)
        if not expr.has(*MEANINGS):
            return doit(self, **hints)
        kinks = [e.args[0] for e in expr.atoms(*MEANINGS) if len(MEANINGS[e.func].pieces) == 2]
        if any(p.free_symbols & variables for u in kinks for p in u.atoms(*PERIODIC)):
            return self  # SymPy would look at one period only
        done, limits = sp.S.Zero, self.limits
        if len(limits) == 1 and len(limits[0]) != 2 and not expr.is_Matrix and hints.get("conds") != "separate":
            done, expr = _by_rule(expr, limits[0][0], tuple(limits[0][1:] or limits[0]))
        left = self.func(in_sympy(expr), *limits).doit(**hints)
        if done == 0:
            return self if isinstance(left, sp.Integral) else left
        return done + left
    return method


# SymPy's integrators take what has slope 0 for a constant, and step has: the integral of step(z - 1) from 0 to 2 came out as 2. They
# offer no place to say otherwise for a product or a sum, so integrals with our functions are written in SymPy's before they see them.
sp.Integral.doit = _with_our_functions(sp.Integral.doit)
