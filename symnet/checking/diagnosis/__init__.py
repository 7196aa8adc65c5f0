"""What went wrong in a hand-derived gradient: the place first, then the slip by name, confirmed by proof.

`kinds` is the table of slips and their wording. `case` holds one answer as numbers at a few points, computed by `evaluating`.
`links` takes the chain rule apart; `chain_slips` and `rules` change one link, `edits` one place of the answer, `shapes` its axes,
`written` its text, `assumed` adds an assumption. `search` sifts all of them by numbers, and `proof` confirms the likeliest.
"""

from symnet.checking.diagnosis.kinds import KINDS, Kind, Mistake
from symnet.checking.diagnosis.search import diagnose

__all__ = ["KINDS", "Kind", "Mistake", "diagnose"]
