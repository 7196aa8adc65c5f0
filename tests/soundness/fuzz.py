"""Broken inputs: valid texts changed byte by byte, and what each reader does with them.

A reader may return or raise a SymnetError in one line; anything else is a fault. An audit hook notes what Python itself is asked to do.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from symnet.checking.pages.judge import judge_page
from symnet.core.tensors import Tensor
from symnet.errors import SymnetError
from symnet.parsing.latex import latex_expression
from symnet.parsing.latex_answers import latex_answer
from symnet.parsing.program import expression, program, tensor_of
from symnet.parsing.worksheet import parse_worksheet
from symnet.worksheet_loader import check_worksheet, load

SHAPES: Mapping[str, tuple[str, ...]] = {"x": (), "y": (), "a": (), "w1": (), "z": (), "w": ("d",), "v": ("d",), "X": ("N", "d"), "A": ("d", "d"),
                                         "h": ("0..T", "d")}
TENSORS = {name: tensor_of(name, shape) for name, shape in SHAPES.items()}
GRADIENT = Tensor("dL_dA", TENSORS["A"].axes, of="A", objective="L")

PLAIN = (
    "2*(a - y)*a*(1 - a)*x", "X.T @ (X @ w - X @ v)/3", "sum(w[i]*A[i, j]*v[j] for i in 1..d for j in 1..d)", "2x^2 + 3|y| - ||w||",
    "s = sigma(z); 2 s (1-s) x", "2 t where t = tanh(x), q = 3", "x if x > 0 else (y if y >= 1 else 0)", "softmax(X)*log_softmax(X)",
    "sum(X, axis=0, keepdims=True) + mean(X, axis=-1)", "X.shape[0] + A.T.shape[1]", "inv(A)[1, 2] + det(A) + logdet(A)", "1[x > 0] + [x <= 2]",
    "np.linalg.norm(w)**2 + np.where(x > 0, 1, 0)", "sigma'(z)^2 + sin^2(x) + log x", "e^{-x} + x₁² − ŷ·½", "maximum(x, 0) + min(x, y, 3)",
    "h[T, i] + 0", "1.5e-3x + .5", "w^T A v + v.T @ w", "kron(A, A) + eye(d)", "clip(x, -1, 1)", "a**-0.5 / (1 + exp(-x))",
)
LATEX = (
    r"\frac{2}{N} X^{\top} \left(X w - v\right)", r"\sum_{i=1}^{d} w_i v_i + \sum_{i,j} a_{ij}", r"\sigma'(z) \tanh^2(x) \log_2 x", r"\lVert w \rVert_2^2 + |x|",
    r"\begin{cases} x & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}", r"\begin{pmatrix} 1 & x \\ y & 2 \end{pmatrix}", r"\hat{y} + w_{1} + w^{(1)}",
    r"s = \sigma(z), \quad 2 s (1 - s) \text{ where } t = 3", r"\mathbf{1}^{\top} X \mathbf{1} + \operatorname{tr}(A)", r"e^{-x^{2}} \sqrt[3]{x} \sqrt{2}",
    r"A^{-1} w \odot v \oslash w", r"\left[x > 0\right] + \mathbb{1}_{x \le y}", r"\operatorname{softmax}(X) \otimes A", r"\langle w, v \rangle x_{12} + \left\lfloor x \right\rfloor",
    r"h^{(T)} + h^{(t)}_{i}", r"$\frac12 x^{10} \cdot \pi$",
)
ANSWERS = (
    r"\frac{\partial L}{\partial A} = w v^{\top}", r"\frac{\partial L}{\partial a_{ij}} = w_i v_j", r"\nabla_{A} L = A + A^{\top}", r"\partial L/\partial A_{pq} = w_p v_q",
)
SHEETS = (
    '''[symbols]
x = { value = "2" }
y = { value = "1/3", domain = "positive" }
[program]
definitions = ["z = w*x + b", "a = sigmoid(z)"]
objective = "(a - y)**2"
wrt = ["w", "b"]
[[answers]]
id = "A1"
wrt = "w"
text = "2*(a - y)*a*(1 - a)*x"
[[answers]]
wrt = "b"
latex = '\\frac{\\partial L}{\\partial b} = 2 (a - y) a (1 - a)'
''',
    '''title = "Least squares"
[symbols]
X = { shape = ["N", "d"] }
w = { shape = ["d"] }
y = { shape = ["N"], assume = ["sum(y) == 1"] }
[program]
definitions = ["r = X @ w - y"]
objective = "sum(r**2)/N"
wrt = ["w"]
[[answers]]
wrt = "w"
text = "(2/N) * X.T @ (X @ w - y)"
''',
    '''simplify = "sqrt(x^2) + log(exp(y))"
[symbols]
x = { domain = "real" }
y = {}
[[answers]]
text = "|x| + y"
''',
    '''[program]
layers = ["Linear(d, h)", "Tanh()", "Linear(h, 1)"]
loss = "MSELoss()"
[[answers]]
wrt = "b1"
text = "sum(dL_dz1, axis=0)"
''',
)
PAGES = (
    "# Step 1\nz1 = w1 * x + b1 = 0.5 * 2 + 0.2 = 1.2\na1 = sigma(z1) = 0.769\n\nProse without a claim.\n- dL/dw2 = dL/da2 * da2/dz2 * a1 ≈ -0.054\n",
    "| x | z | a |\n|---|---|---|\n| 2 | 1.2 | 0.769 |\n\n$\\frac{\\partial L}{\\partial w_1} = -0.17$\n`w1' = w1 - 0.1 * dL/dw1`\n",
)
HOSTILE = (
    "__import__('os').system('touch canary')", "os.system('touch canary')", "eval('1')", "exec('x')", "open('canary', 'w')", "lambda: 0", "x.__class__.__mro__",
    "().__class__.__bases__[0].__subclasses__()", "globals()", "getattr(x, 'y')", "[c for c in ().__class__.__base__.__subclasses__()]", "f'{x}'", "x;import os",
    r"\input{/etc/passwd}", r"\write18{touch canary}", r"\immediate\write18{ls}", "${x}", "{{7*7}}", "%s%n", "<script>alert(1)</script>", "\\def\\x{\\x}\\x",
    "9**9**9**9", "1e999999999", "x**1e9", "((((((((((((((((((((x", "exp(exp(exp(exp(50))))", "sum(sum(sum(1 for i in 1..9) for j in 1..9) for k in 1..9**9)",
    "\x00", "\ud800".encode("utf-8", "replace").decode(), "‮x", "x" * 3000, "ones(999999999)", "eye(10**9)", "w[10**9]", "zeros(9, 9, 9, 9)",
)
BYTES = b"()[]{}|^_\\$&;,.'\"=+-*/@<>0129eExyzXAwTN \n\t\xc2\xb2\xcf\x83\xe2\x88\x92\x00\xff"


def _worksheet(text: str) -> None:
    check_worksheet(parse_worksheet(text))


_FIRST: list[Any] = []


def _page(text: str) -> None:
    if not _FIRST:
        _FIRST.append(load("first"))
    str(judge_page(text, _FIRST[0]))


READERS: Mapping[str, tuple[Callable[[str], Any], tuple[str, ...]]] = {
    "plain": (lambda t: expression(t, TENSORS), PLAIN),
    "LaTeX": (lambda t: latex_expression(t, TENSORS), LATEX),
    "answer": (lambda t: latex_answer(t, {**TENSORS, "L": tensor_of("L", ())}, GRADIENT), ANSWERS + LATEX),
    "program": (lambda t: program(*t.split("|"), tensors=SHAPES), tuple(f"q = {t}" for t in PLAIN if "|" not in t)),
    "worksheet": (_worksheet, SHEETS),
    "page": (_page, PAGES),
}


def broken(text: str, dice: random.Random, others: tuple[str, ...]) -> str:
    """``text`` with a few bytes changed, left out, doubled, moved or taken from another text."""
    raw = bytearray(text.encode())
    for _ in range(dice.choice((1, 1, 1, 2, 3, 6))):
        at = dice.randrange(len(raw) + 1)
        end = min(len(raw), at + dice.randint(1, 12))
        kind = dice.randrange(7)
        if kind == 0 and raw:
            raw[at:at + 1] = bytes([dice.choice(BYTES)])
        elif kind == 1:
            raw[at:at] = bytes(dice.choice(BYTES) for _ in range(dice.randint(1, 4)))
        elif kind == 2:
            del raw[at:end]
        elif kind == 3:
            raw[at:at] = raw[at:end] * dice.choice((1, 1, 2, 40))
        elif kind == 4:
            other = dice.choice(others).encode()
            start = dice.randrange(len(other))
            raw[at:at] = other[start:start + dice.randint(1, 30)]
        elif kind == 5:
            raw[at:end] = bytes(reversed(raw[at:end]))
        else:
            raw[at:at] = dice.choice(HOSTILE).encode("utf-8", "replace")
    return raw.decode("utf-8", "replace")


def inputs(name: str, count: int, seed: int) -> Iterator[str]:
    """The hostile texts, then broken ones; a seed gives the same ones on every run."""
    dice, corpus = random.Random(f"{seed} {name}"), READERS[name][1]
    yield from (text.replace("2*(a - y)*a*(1 - a)*x", bad) if name == "worksheet" else bad for bad in HOSTILE for text in corpus[:1])
    for _ in range(count):
        yield broken(dice.choice(corpus), dice, corpus)


def fault(name: str, text: str, limit: float = 5.0) -> str:
    """What went wrong when the reader ``name`` was given ``text``, or ""."""
    start = time.perf_counter()
    try:
        READERS[name][0](text)
    except SymnetError as error:
        if "\n" in str(error) or len(str(error)) > 1000:
            return f"an error that is not one line: {str(error)[:200]!r}"
    except RecursionError:
        return "RecursionError"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    took = time.perf_counter() - start
    return f"{took:.1f} s" if took > limit else ""


QUIET = ("import", "sys._getframe", "object.__getattr__", "builtins.id", "marshal.loads", "gc.", "os.listdir", "os.scandir", "code.__new__", "function.__new__")
OWN = (b"def monomial_", b"def __create_fn__", b"lambda _cls, ")  # what SymPy, dataclasses and namedtuples make of themselves on first use
_NOTES: list[str] = []
_OWN: list[bool] = []
_WATCHING: list[bool] = []


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if not _WATCHING or event.startswith(QUIET):
        return
    if event in ("exec", "compile", "open") and args:
        place = str(getattr(args[0], "co_filename", args[1] if event == "compile" and len(args) > 1 else args[0]))
        if event == "compile" and str(args[0])[2:].startswith(tuple(o.decode() for o in OWN)):
            _OWN.append(True)
            return
        if event == "exec" and place == "<string>" and _OWN:
            _OWN.pop()
            return
        if place.endswith((".py", ".pyc", ".so")) or "/python" in place or place.startswith("<frozen"):  # a module that is loaded on first use
            return
    _NOTES.append(f"{event} {str(args)[:120]}")


def watched(action: Callable[[], Any]) -> list[str]:
    """What Python was asked to execute, open or start while ``action`` ran. An audit hook cannot be taken off again, so it is set once."""
    if not hasattr(sys, "_symnet_audit"):
        sys.addaudithook(_hook)
        sys._symnet_audit = True  # type: ignore[attr-defined]
    _NOTES.clear()
    _WATCHING.append(True)
    try:
        action()
    finally:
        _WATCHING.clear()
    return list(_NOTES)
