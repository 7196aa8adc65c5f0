"""Lines that are a softmax, however they are spelled: p = e/Σ e with e = exp(z - max(z)), and a²/Σ a² for a softmax a.

By hand a softmax is shifted so that nothing overflows. Its value does not depend on the shift, and what is derived from the shares alone
does not hold the slopes by the shift, which add up to 0 but for their rounding. A softmax made of another, sharpened or tempered, does not
need the digits of that, which may be 0 where the logarithms of its own shares are not.
"""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from symnet.arrays import stable_functions as st
from symnet.arrays.canonical import canonical
from symnet.arrays.exponentials import Exponentials, Unfold
from symnet.core.expressions import as_written, limits
from symnet.core.index_letters import Labels, relabel
from symnet.core.program import Definition, Program
from symnet.core.tensors import Role


def as_softmaxes(program: Program, unfold: Unfold) -> Program:
    """The same program; lines that are one share of a softmax are written as exp(u)/Σ exp(u), without what all exponents hold.

    >>> import symnet as sn
    >>> from symnet.arrays.stable import Names
    >>> p = sn.program("e = exp(z - c)", "p = e/sum(e)", "L = sum(p**2)", tensors={"z": ("n",), "c": ()})
    >>> print(as_softmaxes(p, Names(p).unfold).by_name["p"][0].expr)
    exp(z[i])/Sum(exp(z[i1]), (i1, 1, n))
    """
    labels = Labels.of(program)
    with as_written():
        lines = tuple(_as_softmax(d, unfold, labels) for d in program.definitions)
    if lines == program.definitions:
        return program
    return Program(program.inputs, lines, program.objective, program.assumptions, program.title, program.symbols)


def _as_softmax(d: Definition, unfold: Unfold, labels: Labels) -> Definition:
    below = [f.base for f in sp.Mul.make_args(d.expr) if f.is_Pow and f.exp == -1]
    if d.target.role is Role.GRADIENT or not below:
        return d
    number, share = Exponentials(d.free, unfold).text(canonical(d.expr)).as_coeff_Mul()
    if not (isinstance(share, st.share) and isinstance(share.args[0], sp.exp) and isinstance(share.args[1], sp.Sum)
            and isinstance(share.args[1].function, sp.exp)):
        return d
    top, total = share.args[0].args[0], share.args[1]
    bound = limits(total)[0][0]
    shift = [t for t in sp.Add.make_args(total.function.args[0]) if not t.has(bound) and not t.is_number and t in sp.Add.make_args(top)]
    plain = any(isinstance(f, sp.exp) for f in sp.Mul.make_args(d.expr)) and any(isinstance(b, sp.Sum) for b in below)
    if plain and not shift:
        return d
    top, bottom = (sp.exp(sp.Add(u, *[-t for t in shift]), evaluate=False) for u in (top, total.function.args[0]))
    return replace(d, expr=relabel(number * top / sp.Sum(bottom, *total.limits), {i: i for i in d.free}, labels))
