"""What went wrong in a hand-derived gradient: the place first, then the slip by name, confirmed by proof.

`kinds` is the table of slips and their wording. `case` holds one answer as numbers at a few points, computed by `evaluating`.
`links` takes the chain rule apart; `chain_slips` and `rules` change one link, `edits` one place of the answer, `shapes` its axes,
`written` its text, `assumed` adds an assumption. `search` sifts all of them by numbers, and `proof` confirms the likeliest.
"""

from typing import Any

from symnet.checking.diagnosis.kinds import KINDS, Kind, Mistake
from symnet.checking.diagnosis.search import diagnose
from symnet.errors import FaultError

__all__ = ["KINDS", "Kind", "Mistake", "diagnose", "slip_of"]


def slip_of(*question: Any, **options: Any) -> Mistake | None:
    """``diagnose``, for somebody whose verdict stands already: where something of ours breaks, no slip is named."""
    try:
        return diagnose(*question, **options)
    except (FaultError, MemoryError):
        raise
    except Exception:
        return None
