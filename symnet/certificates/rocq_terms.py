"""Terms as Rocq text, and the proof of a term's derivative as a script of the lemmas in ``analysis.v``, one for each node."""

from __future__ import annotations

from collections.abc import Callable, Collection

from symnet.certificates.terms import BY_HEAD, Term

WRITTEN = {"abs": "Rabs", "max": "Rmax", "min": "Rmin"}  # the others are called as the term is
SIGNS = {"plus": (" + ", 50), "minus": (" - ", 50), "times": (" * ", 40), "divide": (" / ", 40)}
Entry = Callable[[str], str]


def text(term: Term, entry: Entry, level: int = 100) -> str:
    """The term in Rocq, in parentheses where it binds weaker than ``level``; ``entry`` writes an entry by its name.

    >>> from symnet.certificates.terms import term_of
    >>> import sympy as sp
    >>> x, y = sp.symbols("x y", real=True)
    >>> text(term_of(sp.exp(-x) / (1 + y)**2), str)
    'exp (- x) / (1 + y) ^ 2'
    """
    head, parts = term.head, term.parts
    if head == "number":
        p, q = term.value.numerator, term.value.denominator
        return str(p) if q == 1 and p >= 0 else f"({p})" if q == 1 else f"({p} / {q})"
    if head == "entry":
        made, binds = entry(term.name), 10 if " " in entry(term.name) else 0
    elif head == "pi":
        made, binds = "PI", 0
    elif head in SIGNS:
        sign, binds = SIGNS[head]
        made = text(parts[0], entry, binds) + sign + text(parts[1], entry, binds - 1)
    elif head in ("negative", "inverse"):
        made, binds = ("- " if head == "negative" else "/ ") + text(parts[0], entry, 30), 35
    elif head == "power":
        made, binds = f"{text(parts[0], entry, 10)} ^ {term.value.numerator}", 30
    else:
        made, binds = " ".join([WRITTEN.get(head, head), *[text(p, entry, 9) for p in parts]]), 10
    return made if binds <= level else f"({made})"


def derivative_script(term: Term, moving: Collection[str], moves: Entry, rest: Callable[[Term], str]) -> str:
    """A tactic that proves ``is_derive (fun t => term) t0 ?l``, where the entries ``moving`` have their derivatives by ``moves``.

    What none of them moves is still, by ``rest``; where a derivative asks for a sign, that is left to ``sign``.
    """
    if not term.entries & set(moving):
        return f"apply d_still; intros t; cbv beta; {rest(term).replace('. ', '; ').rstrip('.')}" if term.entries else "apply d_const"
    head, parts = term.head, term.parts
    if head == "entry":
        return f"eapply {moves(term.name)}"
    inner = [derivative_script(p, moving, moves, rest) for p in parts]
    if head == "power":
        return f"eapply (d_pow {term.value.numerator}); {inner[0]}"
    lemma = {"plus": "d_plus", "minus": "d_minus", "times": "d_mult", "divide": "d_div", "negative": "d_opp", "inverse": "d_inv"}
    if head in ("divide", "inverse"):
        inner.append("sign")
    elif head in BY_HEAD and BY_HEAD[head].asks:
        inner = [inner[0], "sign", *[f"intros; {i}" for i in inner[1:]]] if head == "choose" else [*inner, "sign"]
    name = lemma.get(head, f"d_{head}")
    return f"eapply {name}; {inner[0]}" if len(inner) == 1 else f"eapply {name}; [{' | '.join(inner)}]"
