"""Claims about training and their proofs. ``kernel`` is the only maker of a Proof; every Proof re-checks itself."""

from __future__ import annotations

from typing import Any

from symnet.core.claim import Proved, Refutation
from symnet.core.verdict import Verdict
from symnet.errors import OptionError, did_you_mean, shown

THEOREMS = {"loss-scaling": "dividing the loss by c is dividing the learning rate by c",
            "variance": "Var(z) = n Var(w) Var(x) for z = Σ w_i x_i, from which starting weights take their size",
            "variance-relu": "the same for inputs that passed a relu: half of it"}


def prove(name: str, optimizer: Any = "sgd") -> Proved | Refutation | Verdict:
    """The answer to a named claim: a proof, a counterexample, or undecided with the reason.

    >>> print(prove("loss-scaling", optimizer="adam"))  # doctest: +ELLIPSIS
    refuted: For Adam, ...
    """
    if not isinstance(name, str) or name not in THEOREMS:
        raise OptionError("prove", f"no claim named {shown(name)}", "one of " + ", ".join(THEOREMS),
                          did_you_mean(name, THEOREMS))
    if name == "loss-scaling":
        from symnet.proofs.scaling import loss_scaling

        return loss_scaling(optimizer)
    from symnet.proofs.variance import variance_of_sum

    return variance_of_sum(relu=name == "variance-relu")
