"""Prove a theorem by its name, or a claim of one's own: read it, decide it; and look again whether a claim and a proof belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from symnet.core.claim import Claim, ClaimText, Proved, Refutation
from symnet.core.signatures import checked
from symnet.core.tensors import Tensor
from symnet.core.verdict import Answer, Verdict
from symnet.errors import OptionError, SymnetError, a_kind, did_you_mean, shown
from symnet.parsing.claims import ReadClaim, is_claim, read_claim
from symnet.parsing.declaring import tensor_of
from symnet.proofs import checking
from symnet.proofs.conjectures import SECONDS, WHERE, Conjecture, conjecture, decide
from symnet.theorems.library import WITH_PROVERS, library

PATIENCE = 120.0  # seconds for a proof that is made again, on a busy machine


@checked
def prove(claim: str, optimizer: Any = "sgd", *, tensors: Mapping[str, Any] | None = None, given: Sequence[str] = (),
          lines: Sequence[str] = (), seconds: float = SECONDS) -> Proved | Refutation | Verdict:
    """A theorem by its name, or a claim of your own: proved by the kernel, refuted by an exact counterexample, or undecided.

    A claim compares expressions: ``==``, ``<=``, ``<``, ``>=``, ``>``, ``!=``, chains of them, several joined by "and", with hypotheses
    behind "if" or in ``given``. It is about all real values of its names in their domains, and for arrays about all sizes. ``tensors`` are
    shapes and domains as for ``sn.program``; a name that is not declared is a number, or a vector where sum, softmax, … is taken of it
    alone. ``grad(f, x)`` is a derivative. ``lines`` are definitions that the claim uses: sequences, w[t] = w[t-1] - lr*w[t-1], too.
    ``optimizer`` is the rule that loss-scaling is about. Raises the error family for what cannot be read.

    >>> print(prove("abs(tanh(x)) <= abs(x)"))
    proved: abs(tanh(x)) <= abs(x)
    >>> print(prove("sum(softmax(z)) == 1"))
    proved: sum(softmax(z)) == 1
    >>> print(prove("diff(sigmoid(x), x) < 1/4"))
    refuted: diff(sigmoid(x), x) < 1/4. Counterexample: with x = 0 the left side is 0.25 and the right side 0.25.
    >>> print(prove("loss-scaling", optimizer="adam"))  # doctest: +ELLIPSIS
    refuted: For Adam, ...
    """
    if not isinstance(claim, str):
        raise OptionError("prove", a_kind(claim), 'the name of a theorem, or a claim as text: "abs(tanh(x)) <= abs(x)"')
    declared = tuple(tensor_of(n, spec) for n, spec in (tensors or {}).items())
    asked = asked_for(claim.strip(), declared, given, lines)
    return _with_own_prover(claim.strip(), optimizer) if asked is None else prove_text(asked, seconds)


def asked_for(name: str, tensors: tuple[Tensor, ...] = (), given: Sequence[str] = (), lines: Sequence[str] = ()) -> ClaimText | None:
    """The claim of a theorem by its name, or one of one's own as text; None for a theorem with a prover of its own. Raises OptionError."""
    if name in WITH_PROVERS:
        return None
    if name in library():
        return library()[name].claim
    if not is_claim(name):
        raise OptionError("prove", f"no theorem named {shown(name)}", 'a name that "symnet prove --list" lists, or a claim such as '
                          '"abs(tanh(x)) <= abs(x)"', did_you_mean(name, [*WITH_PROVERS, *library()]))
    return ClaimText(name, tensors, tuple(given), tuple(lines))


def _with_own_prover(name: str, optimizer: Any) -> Proved | Refutation | Verdict:
    if name.startswith("loss-scaling"):
        from symnet.proofs.scaling import EFFECTS, loss_scaling

        return loss_scaling(optimizer, EFFECTS[name])
    from symnet.proofs.variance import variance_of_sum

    return variance_of_sum(relu=name == "variance-relu")


def prove_text(asked: ClaimText, seconds: float = SECONDS) -> Proved | Refutation | Verdict:
    """The answer to a claim as text."""
    read = read_claim(asked.text, {t.name: t for t in asked.tensors}, asked.given, asked.lines)

    def claimed(conditions: tuple[str, ...]) -> Claim:
        beside = [*asked.given, *(f"{t.name} in {t.domain}" for t in asked.tensors if t.domain != "real"),
                  *(c for c in conditions if c.endswith(WHERE))]
        told = asked.text + (f" [{'; '.join(beside)}]" if beside else "")
        return Claim(asked.theorem or "claim", library()[asked.theorem].title if asked.theorem else told, conditions, asked)

    try:
        return decide(conjecture_of(read), claimed, seconds)
    except SymnetError:
        raise
    except Exception as problem:  # an internal error costs one answer
        return Verdict(Answer.UNDECIDED, reason=f"an internal error: {type(problem).__name__}: {str(problem)[:100]}")


def conjecture_of(read: ReadClaim) -> Conjecture:
    """The statements of a claim that was read."""
    return conjecture(read.program, read.conclusions, read.hypotheses, read.slopes, read.assumed, read.turned,
                      read.has_values if read.asks else None)


def check_proved(found: Any) -> bool:
    """True for a claim with its own proof and nobody else's. A claim as text is read again, and proved again."""
    return checking.check_proved(found, {ClaimText: _again})


def _again(asked: ClaimText) -> Any:
    if type(asked.theorem) is not str or any(type(t) is not Tensor for t in asked.tensors):
        return None
    if asked.theorem and library()[asked.theorem].claim != asked:
        return None
    return prove_text(asked, PATIENCE)
