"""What an answer divides by is asked for, also where a line of the program, put in, would cancel it; nothing more is asked for."""

from __future__ import annotations

import pytest

import symnet as sn
from symnet.core.page_verdict import Mark
from symnet.worksheet_loader import check_page

SQUARE = (("z = w*x", "L = z**2"), {})
GATE = (("a = relu(z)", "L = a*y"), {})
GATES = (("a = relu(z)", "q = a*y", "L = sum(q)"), {"z": ("n",), "y": ("n",)})
SQUARES = (("a = w*x", "q = a*a", "L = sum(q)"), {"w": ("n",), "x": ("n",)})
ASIDE = (("u = 1/w", "v = log(w)", "L = sum(w*x)"), {"w": ("n",), "x": ("n",)})
LAYER = (("z = X@w + b", "t = tanh(z)", "L = sum(t)"), {"X": ("n", "d"), "w": ("d",), "b": ("n",)})
CASES = {
    "a line over its factor": ((("L = w*x",), {}), "w", "L/w", "almost_everywhere", "w = 0"),
    "the same in LaTeX": ((("L = w*x",), {}), "w", r"\frac{L}{w}", "almost_everywhere", "w = 0"),
    "upside down": ((("L = w*x",), {}), "w", "1/(w/L)", "almost_everywhere", "w = 0 or x = 0"),
    "a line used by a line": (SQUARE, "w", "2*L/w", "almost_everywhere", "w = 0"),
    "LaTeX, a number before it": (SQUARE, "w", r"\frac{2 z^2}{w}", "almost_everywhere", "w = 0"),
    "a line over a line": (SQUARE, "z", "2*L/z", "almost_everywhere", "w = 0 or x = 0"),
    "a power of a line": (SQUARE, "w", "2*L**2/(z*L)*x", "almost_everywhere", "w = 0 or x = 0"),
    "no division": (SQUARE, "w", "2*z*x", "proved", ""),
    "0/0 on half a line": (GATE, "z", "L/a*step(z)", "conditional", "z != 0"),
    "0/0 on half a line, in LaTeX": (GATE, "z", r"\frac{L}{a} \cdot 1[z > 0]", "conditional", "z != 0"),
    "0/0 on half a line, written out": (GATE, "z", "L/relu(z)*step(z)", "conditional", "z != 0"),
    "the other factor": (GATE, "y", "L/y", "almost_everywhere", "y = 0"),
    "arrays, 0/0 on half of all places": (GATES, "z", "q/a*step(z)", "conditional", "a[i] != 0"),
    "arrays, a/a": (GATES, "z", "y*a/a*step(z)", "conditional", "a[i] != 0"),
    "arrays, no division": (GATES, "z", "y*step(z)", "proved", ""),
    "arrays, entry by entry": (SQUARES, "w", "2*q/w", "almost_everywhere", "w_3 = 0"),
    "arrays, a square": (SQUARES, "w", "2*a**2/w", "almost_everywhere", "w_3 = 0"),
    "arrays, a line over a line": (SQUARES, "w", "2*q/a*x", "almost_everywhere", "a[i] = 0"),
    "a whole array written out": ((("L = sum(w**2)",), {"w": (3,)}), "w", "2*w*(w[1]+w[2]+w[3])/sum(w)", "almost_everywhere", "w_3 = 0"),
    "a line aside that divides": (ASIDE, "w", "u*w*x", "almost_everywhere", "w[i] = 0"),
    "a line aside that is a logarithm": (ASIDE, "x", "exp(v)", "conditional", "w[i] > 0"),
    "a line aside that goes out": (ASIDE, "w", "x*v/v", "conditional", "w[i] > 0"),
    "lines aside that are not used": (ASIDE, "x", "w", "proved", ""),
    "a layer of numbers is 0 on a null set": (LAYER, "b", "(z - z*t*t)/z", "almost_everywhere", "z[i] = 0"),
    "so is its tanh": (LAYER, "b", "(t - t**3)/t", "almost_everywhere", "t[i] = 0"),
    "what the objective divides by": ((("p = x/y", "L = w*p"), {}), "w", "p*y/y", "proved", ""),
    "what the objective takes the root of": ((("s = x**2 + y**2", "L = sqrt(s)"), {}), "x", "x*L/s", "proved", ""),
    "what the objective takes the log of": ((("z = w*x", "L = log(z)"), {}), "w", "z/(w*z)", "proved", ""),
    "a sum of exponentials": ((("E = exp(z)", "s = sum(E)", "L = log(s)"), {"z": ("n",)}), "z", "E*s/s**2", "proved", ""),
    "a probability": ((("p = sigmoid(z)", "L = -log(p)"), {}), "z", "-p*(1-p)/p", "proved", ""),
    "wrong stays wrong": (SQUARE, "w", "L/w", "refuted", ""),
}


@pytest.mark.parametrize(("program", "wrt", "answer", "wanted", "said"), CASES.values(), ids=CASES)
def test_what_an_answer_divides_by_is_said(program: tuple[tuple[str, ...], dict[str, tuple[object, ...]]], wrt: str, answer: str,
                                           wanted: str, said: str) -> None:
    lines, shapes = program
    names = {c for line in lines for c in ("w", "x", "y", "z") if c in line.partition("=")[2]} - {line[0] for line in lines}
    derivation = sn.derive(sn.program(*lines, tensors={**dict.fromkeys(names, ()), **shapes}), [wrt])
    verdict = sn.check(answer, derivation, wrt)
    assert verdict.answer.value == wanted
    assert said in verdict.condition
    assert bool(said) == bool(verdict.condition)


PAGE = """```toml
[program]
definitions = ["a = relu(z)", "L = a*y"]
wrt = ["z", "y"]
```
dL/dz = y*step(z)
dL/dz = L/a*step(z)
dL/dz = y*a/a*step(z)
e = L/y
dL/dy = e
dL/dy = a
"""


def test_a_page_says_it_too() -> None:
    found = {j.line: j for j in check_page(PAGE).judged}
    assert [found[k].mark for k in (6, 7, 8, 10, 11)] == [Mark.RIGHT, Mark.UNDECIDED, Mark.UNDECIDED, Mark.RIGHT, Mark.RIGHT]
    assert "y = 0" in found[10].note
    assert not found[11].note
