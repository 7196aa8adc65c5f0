"""The NumPy module of a derivation, written for JAX or PyTorch: the same lines under the other library's names.

Only what ``numpy_code.py`` writes is translated, call by call; a NumPy name without a row here is refused, never guessed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from symnet.backends.source import HELPERS, numpy_source
from symnet.backends.stable_code import needed
from symnet.core.derivation import Derivation
from symnet.errors import OptionError, UnknownNodeError

CALL = re.compile(r"(?<![\w.])np\.([a-z_]\w*(?:\.[a-z_]\w*)*)")
CONSTANT = re.compile(r"float\(np\.([a-z]+)\(")  # functions of plain numbers: computed at once, outside the traced arrays
MATH = {**{name: f"math.{name}" for name in ("sqrt", "exp", "log", "sin", "cos", "tan", "tanh", "sinh", "cosh", "erf", "floor", "expm1",
                                              "log1p")},
        "arctan": "math.atan", "abs": "abs", "maximum": "max", "minimum": "min", "sign": "(lambda u: (u > 0) - (u < 0))"}
SAME = ("exp", "expm1", "log", "log1p", "sin", "cos", "tanh", "sinh", "cosh", "arctan", "abs", "sign", "sqrt", "floor", "where", "einsum",
        "concatenate", "vdot", "linalg.det", "linalg.inv", "linalg.slogdet", "linalg.svd")


@dataclass(frozen=True, slots=True)
class Dialect:
    """One library: the start of the module, its name for each NumPy name, and what is put behind the function."""

    name: str
    head: str
    names: Mapping[str, str]
    helpers: Mapping[str, str]
    tail: str
    line: Callable[[str], str]


def _functional(line: str) -> str:
    """``z[0] = v`` as ``z = z.at[0].set(v)``: JAX's arrays do not change."""
    text = line.strip()
    found = ast.parse(text).body[0] if "] = " in text and not text.startswith(("if ", "for ")) else None
    if not isinstance(found, ast.Assign) or not isinstance(found.targets[0], ast.Subscript):
        return line
    target = found.targets[0]
    name = ast.get_source_segment(text, target.value)
    place, value = ast.get_source_segment(text, target.slice), ast.get_source_segment(text, found.value)
    return f"{line[:len(line) - len(line.lstrip())]}{name} = {name}.at[{place}].set({value})"


def _tensor_methods(line: str) -> str:
    return line.replace(".transpose(", ".permute(").replace(".max(", ".amax(").replace(".copy()", ".clone()").replace(", optimize=True", "")


JAX = Dialect("jax", '''"""Made by symnet for JAX: value_and_grad(**symbols), and loss(parameters, data) with its gradient for jax.grad.

For float64, first: jax.config.update("jax_enable_x64", True).
"""

import math

import jax
import jax.numpy as jnp

dtype = jnp.DTYPE


def array(name, value, *shape):
    made = jnp.asarray(value, dtype=dtype)
    if made.ndim != len(shape) or any(s is not None and s != n for s, n in zip(shape, made.shape)):
        raise ValueError(f"{name}: shape {made.shape}; expected {shape} (None is any size)")
    return made

''', {name: f"jnp.{name}" for name in (*SAME, "arange", "zeros", "array", "asarray", "maximum", "minimum", "logaddexp", "heaviside",
                                       "clip", "broadcast_to", "pi", "e", "nan", "inf")},
              {"norm": """def norm(v, axis):
    top = jnp.abs(v).max(axis=axis, keepdims=True, initial=0.0)
    top = jnp.where((top == 0) | (top == jnp.inf), 1, jnp.exp2(jnp.floor(jnp.log2(jnp.where(top == 0, 1, top)))))
    return jnp.sqrt(((v/top)**2).sum(axis=axis))*top.sum(axis=axis)
""",
               "logdet": "def logdet(a):\n    sign, value = jnp.linalg.slogdet(a)\n    return jnp.where(sign > 0, value, jnp.nan)\n",
               "scatter": "def scatter(at, values, shape):\n    return jnp.zeros(shape, dtype=dtype).at[at].add(values)\n",
               "whole": """def whole(name, value, *shape):
    made = jnp.asarray(value)
    if made.ndim != len(shape) or any(s is not None and s != n for s, n in zip(shape, made.shape)):
        raise ValueError(f"{name}: shape {made.shape}; expected {shape} (None is any size)")
    if not isinstance(made, jax.core.Tracer) and not bool(jnp.all(made == jnp.floor(made))):
        raise ValueError(f"{name}: whole numbers expected")
    return made.astype(int)
""",
               "within": """def within(name, value, classes, *ignored):
    if isinstance(value, jax.core.Tracer):
        return  # nothing can be asked of numbers that are not known yet
    if not bool(jnp.all(jnp.isin(value, jnp.asarray(ignored, dtype=int)) | (0 <= value) & (value < classes))):
        raise ValueError(f"{name}: classes from 0 to {classes - 1} expected")
""",
               "stop_gradient": "def stop_gradient(u):\n    return jax.lax.stop_gradient(u)\n",
               "erf": "def erf(z):\n    return jax.scipy.special.erf(z)\n",
               "gauss": "def gauss(z):\n    return jax.scipy.special.erfc(-0.7071067811865476*z)/2\n"}, '''

@jax.custom_vjp
def loss(parameters, data):
    """The objective of two dictionaries of arrays; jax.grad(loss) gives the derived gradients of the parameters."""
    return value_and_grad(**parameters, **data)[0]


def _forward(parameters, data):
    if any(leaf.perturbed for leaf in jax.tree_util.tree_leaves(data)):
        raise TypeError("only the parameters have gradients here: " + ", ".join(WRT))
    plain, rest = ({name: leaf.value for name, leaf in part.items()} for part in (parameters, data))
    value, gradients = value_and_grad(**plain, **rest)
    return value, ({name: gradients[name] for name in parameters}, rest)


def _backward(saved, upstream):
    gradients, data = saved
    return {name: upstream*g for name, g in gradients.items()}, dict.fromkeys(data)


loss.defvjp(_forward, _backward, symbolic_zeros=True)
''', _functional)

def _plain_numbers(line: str) -> str:
    """A result is a number, which nobody else can change."""
    return re.sub(r"\bcopied\((\w+), dtype=dtype\)(\[\(\)\])?", r"\1", line)


PYTHON = Dialect("math", '''"""Made by symnet for Python's own numbers: value_and_grad(**symbols)."""

import math

dtype = float


def array(name, value):
    if getattr(value, "shape", ()) != ():
        raise ValueError(f"{name}: shape {value.shape}; expected ()")
    return float(value)


def asarray(value, dtype=float):
    return float(value)

''', {**{name: f"math.{name}" for name in ("exp", "expm1", "log", "log1p", "sin", "cos", "tanh", "sinh", "cosh", "sqrt", "floor",
                                       "pi", "e", "nan", "inf")},
     "arctan": "math.atan", "abs": "abs", "array": "copied", "asarray": "asarray",
     **{name: name for name in ("where", "maximum", "minimum", "logaddexp", "heaviside", "sign", "clip")}},
                {"sigmoid": """def sigmoid(z):
    e = math.exp(-abs(z))
    return e*(1/(1 + e)) if z < 0 else 1/(1 + e)
""",
                 "where": "def where(condition, yes, no):\n    return yes if condition else no\n",
                 "maximum": "def maximum(a, b):\n    return a if a > b or a != a else b\n",
                 "minimum": "def minimum(a, b):\n    return a if a < b or a != a else b\n",
                 "clip": "def clip(u, low, high):\n    return minimum(maximum(u, low), high)\n",
                 "sign": "def sign(u):\n    return u if u != u else float((u > 0) - (u < 0))\n",
                 "heaviside": "def heaviside(z, zero):\n    return z if z != z else zero if z == 0 else float(z > 0)\n",
                 "logaddexp": "def logaddexp(a, b):\n    top = maximum(a, b)\n"
                              "    return top + math.log1p(math.exp(-abs(a - b))) if a != b else a + 0.6931471805599453\n",
                 "whole": """def whole(name, value):
    if getattr(value, "shape", ()) != () or float(value) != math.floor(value):
        raise ValueError(f"{name}: a whole number expected")
    return int(value)
""",
                 "within": """def within(name, value, classes, *ignored):
    if value not in ignored and not 0 <= value < classes:
        raise ValueError(f"{name}: classes from 0 to {classes - 1} expected")
""",
                 "gauss": "def gauss(z):\n    return math.erfc(-0.7071067811865476*z)/2\n",
                 "erf": "def erf(z):\n    return math.erf(z)\n",
                 "stop_gradient": "def stop_gradient(u):\n    return u\n"}, "", _plain_numbers)

TORCH = Dialect("torch", '''"""Made by symnet for PyTorch: value_and_grad(**symbols), and loss(**symbols) with its backward()."""

import math

import torch

dtype = torch.DTYPE


def array(name, value, *shape):
    made = torch.as_tensor(value, dtype=dtype)
    if made.ndim != len(shape) or any(s is not None and s != n for s, n in zip(shape, made.shape)):
        raise ValueError(f"{name}: shape {tuple(made.shape)}; expected {shape} (None is any size)")
    return made


def asarray(value, dtype=dtype):
    return torch.as_tensor(value, dtype=dtype)

''', {**{name: f"torch.{name}" for name in (*SAME, "zeros")}, "clip": "torch.clamp", "asarray": "asarray", "array": "copied",
      "vdot": "vdot", "pi": "math.pi", "e": "math.e", "nan": "math.nan", "inf": "math.inf",
      **{name: name for name in ("maximum", "minimum", "logaddexp", "heaviside", "broadcast_to", "arange", "where", "tanh")}},
                {"arange": "def arange(first, end, dtype=torch.int64):\n"
                           "    return torch.arange(first, max(first, end), dtype=dtype)  # torch counts nothing below first\n",
                 "where": "def where(condition, yes, no):\n    return torch.where(torch.as_tensor(condition), asarray(yes), asarray(no))\n",
                 "norm": """def norm(v, axis):
    if v.numel() == 0:
        return torch.sqrt((v**2).sum(dim=axis))
    top = v.abs().amax(dim=axis, keepdim=True)
    top = torch.where((top == 0) | torch.isinf(top), torch.ones_like(top), torch.exp2(torch.floor(torch.log2(top))))
    return torch.sqrt(((v/top)**2).sum(dim=axis))*top.sum(dim=axis)
""",
                 "highest": "def highest(z, axis):\n    top = z.sum(dim=axis, keepdim=True)\n"
                            "    return z.amax(dim=axis, keepdim=True) if z.shape[axis] else torch.full_like(top, -math.inf)\n",
                 "vdot": "def vdot(a, b):\n    return torch.dot(a.reshape(-1), b.reshape(-1))\n",
                 "logdet": "def logdet(a):\n    return torch.logdet(a)\n",
                 "scatter": "def scatter(at, values, shape):\n    rows = torch.broadcast_to(asarray(values), (*at.shape, *shape[1:]))\n"
                            "    return torch.zeros(shape, dtype=dtype).index_put((at,), rows, accumulate=True)\n",
                 "whole": """def whole(name, value, *shape):
    made = torch.as_tensor(value)
    if made.ndim != len(shape) or any(s is not None and s != n for s, n in zip(shape, made.shape)):
        raise ValueError(f"{name}: shape {tuple(made.shape)}; expected {shape} (None is any size)")
    if made.dtype.is_floating_point and not bool((made == torch.floor(made)).all()):
        raise ValueError(f"{name}: whole numbers expected")
    return made.to(torch.int64)
""",
                 "within": """def within(name, value, classes, *ignored):
    kept = torch.isin(value, torch.tensor(ignored, dtype=torch.int64))
    if not bool((kept | (0 <= value) & (value < classes)).all()):
        raise ValueError(f"{name}: classes from 0 to {classes - 1} expected")
""",
                 "copied": "def copied(value, dtype=dtype):\n    return asarray(value, dtype).clone()\n",
                 "stop_gradient": "def stop_gradient(u):\n    return u.detach()\n",
                 "erf": "def erf(z):\n    return torch.erf(asarray(z))\n",
                 "gauss": "def gauss(z):\n    return torch.erfc(-0.7071067811865476*asarray(z))/2\n",
                 "tanh": "def tanh(z):\n    return torch.tanh(asarray(z))  # of a size too, which is no tensor\n",
                 "maximum": "def maximum(a, b):\n    return torch.maximum(asarray(a), asarray(b))\n",
                 "minimum": "def minimum(a, b):\n    return torch.minimum(asarray(a), asarray(b))\n",
                 "logaddexp": "def logaddexp(a, b):\n    return torch.logaddexp(asarray(a), asarray(b))\n",
                 "heaviside": "def heaviside(z, zero):\n    return torch.heaviside(asarray(z), asarray(zero))\n",
                 "broadcast_to": "def broadcast_to(z, shape):\n    return torch.broadcast_to(asarray(z), shape)\n"}, '''

class Loss(torch.autograd.Function):
    """The objective of the arrays NAMES, in this order."""

    @staticmethod
    def forward(ctx, *arrays):
        value, gradients = value_and_grad(**dict(zip(NAMES, arrays)))
        ctx.save_for_backward(*[gradients[name] for name in WRT])
        return asarray(value)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, upstream):
        gradients = dict(zip(WRT, ctx.saved_tensors))
        if any(needed and name not in gradients for name, needed in zip(NAMES, ctx.needs_input_grad)):
            raise TypeError("only these have gradients here: " + ", ".join(WRT))
        return tuple(upstream*gradients[name] if name in gradients else None for name in NAMES)


def loss(**symbols):
    """The objective; loss(…).backward() uses the derived gradients."""
    return Loss.apply(*[symbols[name] for name in NAMES])
''', _tensor_methods)
DIALECTS = {d.name: d for d in (JAX, TORCH, PYTHON)}


def library_source(derivation: Derivation, library: str, dtype: str = "float64") -> str:
    """The module for ``library``: "numpy", "jax" or "torch"."""
    if library == "numpy":
        return numpy_source(derivation, dtype)
    if library not in DIALECTS:
        raise OptionError("export", f"the library {library!r}", "numpy, " + ", ".join(DIALECTS))
    dialect = DIALECTS[library]
    arrays = [t.name for t in derivation.full.tensors.values() if t.axes]
    if library == "math" and (arrays or dtype != "float64"):
        found = f"{arrays[0]}, an array" if arrays else f"the dtype {dtype!r}"
        raise OptionError("math", found, "a program of numbers, in float64", '"numpy"')
    source = numpy_source(derivation, dtype)
    lines = source[source.index("def prepare("):].splitlines()
    body = _translated("\n".join(lines), dialect)
    helpers = "\n\n".join(_helpers(body, dialect))
    head = dialect.head.replace("DTYPE", dtype)
    inputs = [t.name for t in derivation.program.inputs]
    if not set(derivation.wrt) <= set(inputs):  # a gradient of something computed is no argument of a function
        return f"{head}{helpers}\n\n{body}"
    names = f"\n\nNAMES, WRT = {inputs!r}, {list(derivation.wrt)!r}\n"
    return f"{head}{helpers}\n\n{body}{names}{dialect.tail}"


def _helpers(body: str, dialect: Dialect) -> list[str]:
    """The helpers that the module needs, each in the library's words, which may need others."""
    known, made, text = {**HELPERS, **dialect.helpers}, set[str](), body
    while missing := [name for name in needed(text, known) if name not in made]:
        known |= {name: _translated(known[name], dialect) for name in missing if name not in dialect.helpers}
        made.update(missing)
        text = "\n".join([body, *[known[name] for name in made]])
    return [known[name] for name in known if name in made]


def _translated(text: str, dialect: Dialect) -> str:
    return "\n".join(dialect.line(_translate(line, dialect)) for line in text.splitlines()) + "\n"


def _translate(line: str, dialect: Dialect) -> str:
    def constant(match: re.Match[str]) -> str:
        if match[1] not in MATH:
            raise UnknownNodeError(dialect.name, f"np.{match[1]} of a number", "a function of Python's math")
        return f"float({MATH[match[1]]}("

    def call(match: re.Match[str]) -> str:
        if match[1] not in dialect.names:
            raise UnknownNodeError(dialect.name, f"no form for np.{match[1]}", "a function with a form in this library")
        return dialect.names[match[1]]

    return CALL.sub(call, CONSTANT.sub(constant, line))
