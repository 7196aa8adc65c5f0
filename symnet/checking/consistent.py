"""Can what is declared hold at all? Refused where it is shown that nothing satisfies it, for then anything would follow."""

from __future__ import annotations

from collections.abc import Mapping

from symnet.calculus.instantiate import instantiate_program
from symnet.core.program import Program
from symnet.equality.assumption_solving import contradictory, said_of_nothing
from symnet.equality.structured import forms_of
from symnet.errors import DomainError, SymnetError

MOST_ENTRIES = 400


def check_consistent(program: Program, sizes: Mapping[str, int]) -> None:
    """Raise DomainError where it is shown that nothing satisfies what is declared. Whether anything does may depend on a size, so that
    nothing is said where one is not given.
    """
    wanted = {str(s) for s in program.sizes}
    if not wanted <= sizes.keys() or not (program.assumptions or any(d.holes for d in program.definitions)):
        return
    try:
        scalars, _ = instantiate_program(program, {s: sizes[s] for s in wanted}, MOST_ENTRIES)
    except SymnetError:
        return
    forms, own = forms_of(scalars.inputs).there, {t[()] for t in scalars.inputs}
    asked = tuple((u.xreplace(dict(forms)), sign) for d in scalars.definitions for u, sign, _ in d.holes if u.free_symbols <= own)
    if contradictory(scalars.assumptions, asked, forms):
        said = said_of_nothing(program.assumptions) if program.assumptions else "inequalities that never hold together"
        raise DomainError("assumptions", said, "assumptions that hold together")
