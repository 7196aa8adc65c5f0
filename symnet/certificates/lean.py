"""The statements of a certificate as Lean 4 text, for Mathlib. Nothing here checks Lean, and the proofs are left open: the file says so.

Lines and theorems are those of the Rocq file, from the same terms. What Mathlib has is taken from there; the rest stands at the head.
"""

from __future__ import annotations

from collections.abc import Iterator

from symnet.certificates.entries import RocqFile
from symnet.certificates.facts import Condition
from symnet.certificates.names import comment, safe_name
from symnet.certificates.terms import Term

HEAD = """import Mathlib
/-! {0} -/
namespace Certificate
noncomputable section
def sigmoid (z : ℝ) : ℝ := (1 + Real.exp (-z))⁻¹
def softplus (z : ℝ) : ℝ := Real.log (1 + Real.exp z)
def step (z : ℝ) : ℝ := if 0 < z then 1 else 0
def relu (z : ℝ) : ℝ := if 0 < z then z else 0
def leaky_relu (z s : ℝ) : ℝ := if 0 < z then z else s * z
def sign (z : ℝ) : ℝ := if 0 < z then 1 else if z < 0 then -1 else 0
def choose (z u v : ℝ) : ℝ := if 0 < z then u else v
def erf (z : ℝ) : ℝ := 2 / √Real.pi * ∫ u in (0 : ℝ)..z, Real.exp (-u ^ 2)
"""
NAMED = {"exp": "Real.exp", "ln": "Real.log", "sqrt": "Real.sqrt", "sin": "Real.sin", "cos": "Real.cos", "sinh": "Real.sinh",
         "cosh": "Real.cosh", "tanh": "Real.tanh", "atan": "Real.arctan", "abs": "abs"}
SIGNS = {"plus": "+", "minus": "-", "times": "*", "divide": "/"}


def lean_text(file: RocqFile) -> str:
    """The file: the statements of ``file`` in Lean."""
    return "\n".join([HEAD.format(" ".join(comment(line) for line in (
        "Written by symnet and not checked here. Statements only: every proof is `sorry`, so this is no certificate until they are given.",
        *file.legend()))), *_parts(file), "end", "end Certificate", ""])


def _parts(file: RocqFile) -> Iterator[str]:
    yield "structure Point where\n" + "\n".join(
        f"  {safe_name(t.name)} : {'ℕ → ' * len(t.axes)}ℝ" for t in file.tensors.values())
    for name, term in (*file.every.items(), *file.lines.backward.items()):
        yield f"def {safe_name(name)} (e : Point) : ℝ := {_written(term, file)}"
    for p, theorem in file.theorems.items():
        tensor = file.lines.inputs[p]
        owner = safe_name(tensor.parent or p)
        new = "t"
        if tensor.parent:
            bound = [f"i{k + 1}" for k in range(len(tensor.place))]
            there = " ∧ ".join(f"{i} = {k}" for i, k in zip(bound, tensor.place, strict=True))
            new = f"fun {' '.join(bound)} => if {there} then t else e.{owner} {' '.join(bound)}"
        given = "".join(f" (h{k + 1} : {_said(h, file)})" for k, h in enumerate(file.lines.hypotheses))
        moved = f"fun t : ℝ => {safe_name(file.objective)} {{ e with {owner} := {new} }}"
        yield (f"theorem {theorem} (e : Point){given} :\n    HasDerivAt ({moved})"
               f" ({safe_name(file.lines.scalars.names[p])} e) ({_entry(p, file)}) := by\n  sorry")


def _entry(name: str, file: RocqFile) -> str:
    tensor = file.lines.inputs.get(name)
    if tensor is None:
        return f"{safe_name(name)} e"
    return " ".join([f"e.{safe_name(tensor.parent)}", *map(str, tensor.place)]) if tensor.parent else f"e.{safe_name(name)}"


def _written(t: Term, file: RocqFile) -> str:
    p = [f"({_written(part, file)})" for part in t.parts]
    if t.head == "number":
        return f"({t.value.numerator} / {t.value.denominator} : ℝ)" if t.value.denominator != 1 else f"({t.value.numerator} : ℝ)"
    if t.head == "entry":
        return _entry(t.name, file)
    if t.head == "pi":
        return "Real.pi"
    if t.head in SIGNS:
        return f"{p[0]} {SIGNS[t.head]} {p[1]}"
    if t.head in ("negative", "inverse"):
        return f"-{p[0]}" if t.head == "negative" else f"{p[0]}⁻¹"
    if t.head == "power":
        return f"{p[0]} ^ {t.value.numerator}"
    return " ".join([NAMED.get(t.head, t.head), *p])


def _said(h: Condition, file: RocqFile) -> str:
    a = [f"({_written(t, file)})" for t in h.parts]
    made = {"positive": "0 < {0}", "nonzero": "{0} ≠ 0", "distinct": "{0} ≠ {1}", "equal": "{0} = {1}", "below": "{0} < {1}",
            "at least": "{0} ≤ {1}"}[h.kind].format(*a)
    for z, above in reversed(h.guards):
        made = f"({f'0 < {_written(z, file)}' if above else f'{_written(z, file)} < 0'} → {made})"
    return made
