"""A whole program as the source of a module that imports numpy alone and defines ``value_and_grad(**symbols)``."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Iterator

import sympy as sp

from symnet.arrays.lowering import lower_definition
from symnet.arrays.stable import stable
from symnet.backends.numpy_code import NumpyCode
from symnet.core.derivation import Derivation
from symnet.core.program import Definition, Program
from symnet.core.schedule import Block, schedule
from symnet.core.tensors import Tensor
from symnet.errors import ShapeError

TAKEN = set("""scatter whole within np softmax logsumexp logdet erf symbols value_and_grad array dtype min max range reversed
float forward jax jnp torch math asarray maximum minimum logaddexp heaviside broadcast_to stop_gradient""".split())
HELPERS = {
    "softmax": """def softmax(z, axis):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e/e.sum(axis=axis, keepdims=True)
""",
    "logsumexp": """def logsumexp(z, axis):
    top = z.max(axis=axis, keepdims=True)
    return np.log(np.exp(z - top).sum(axis=axis)) + top.squeeze(axis=axis)
""",
    "logdet": """def logdet(a):
    sign, value = np.linalg.slogdet(a)
    return np.where(sign > 0, value, np.nan)
""",
    "scatter": """def scatter(at, values, shape):
    made = np.zeros(shape, dtype=dtype)
    np.add.at(made, at, values)
    return made
""",
    "whole": """def whole(name, value, *shape):
    made = np.asarray(value)
    if made.ndim != len(shape) or any(s is not None and s != n for s, n in zip(shape, made.shape)):
        raise ValueError(f"{name}: shape {made.shape}; expected {shape} (None is any size)")
    if not np.all(made == np.floor(made)):
        raise ValueError(f"{name}: whole numbers expected")
    return made.astype(np.int64)
""",
    "within": """def within(name, value, classes, *ignored):
    if not np.all(np.isin(value, ignored) | (0 <= value) & (value < classes)):
        raise ValueError(f"{name}: classes from 0 to {classes - 1} expected")
""",
    "stop_gradient": """def stop_gradient(u):
    return u
""",
    "erf": """def erf(z):
    from math import erf as one
    return np.vectorize(one, otypes=[dtype])(z)
""",
}
HEAD = '''"""Made by symnet: value_and_grad(**symbols) takes arrays by name."""

import numpy as np

dtype = np.DTYPE


def array(name, value, *shape):
    made = np.asarray(value, dtype=dtype)
    if made.ndim != len(shape) or any(s is not None and s != n for s, n in zip(shape, made.shape)):
        raise ValueError(f"{name}: shape {made.shape}; expected {shape} (None is any size)")
    return made

'''


def numpy_source(derivation: Derivation, dtype: str = "float64") -> str:
    """The source. Sizes are read off the arrays; what overflows when written naively (softmax, log σ) is computed stably."""
    program = stable(derivation.full)
    names = python_names(program)
    wanted = ", ".join(f"{w!r}: np.asarray({names[derivation.gradient_name(w)]}, dtype=dtype)" for w in derivation.wrt)
    return _module(program, names, f"{names[program.objective]}, {{{wanted}}}", "value_and_grad", dtype)


def forward_source(program: Program, *outputs: str, dtype: str = "float64") -> str:
    """The source of ``forward(**symbols)``, which computes one definition and only what it needs; of several a tuple."""
    needed, stack = set(outputs), list(outputs)
    while stack:
        for used in program.uses(stack.pop()):
            if used not in needed:
                needed.add(used)
                stack.append(used)
    kept = Program(tuple(t for t in program.inputs if t.name in needed),
                   tuple(d for d in program.definitions if d.name in needed), outputs[-1])
    names = python_names(kept)
    return _module(kept, names, ", ".join(names[o] for o in outputs), "forward", dtype)


def _module(program: Program, names: dict[str, str], result: str, function: str, dtype: str) -> str:
    code = NumpyCode(program, names, size_names(program))
    text = "\n".join(f"    {line}" for line in [*_inputs(program, code), *_lines(program, code, names)])
    helpers = "\n\n".join(source for name, source in HELPERS.items() if f"{name}(" in text)
    head = HEAD.replace("DTYPE", dtype).replace("value_and_grad", function)
    return f"{head}{helpers}\n\ndef {function}(**symbols):\n{text}\n    return {result}\n"


def python_names(program: Program) -> dict[str, str]:
    """A Python name for each tensor: its own, with _ behind it where Python, this module or a size uses that name."""
    return _safe(program.tensors, set(size_names(program).values()))


def size_names(program: Program) -> dict[str, str]:
    """A Python name for each size, likewise."""
    return _safe((str(s) for s in program.sizes), set())


def _safe(names: Iterable[str], taken: set[str]) -> dict[str, str]:
    made: dict[str, str] = {}
    for name in names:
        safe = name
        while keyword.iskeyword(safe) or safe in TAKEN or safe in taken:
            safe += "_"
        made[name] = safe
        taken.add(safe)
    return made


def _inputs(program: Program, code: NumpyCode) -> Iterator[str]:
    """Read the arrays and, off them, the sizes. An axis whose size is computed (M + K - 1) is read once the others are."""
    known, names = set[sp.Basic](), code.names
    waiting = sorted(program.inputs, key=lambda t: sum(not s.is_Symbol for s in t.shape))
    for tensor in waiting:
        shape = [code.number(s) if s.free_symbols <= known else "None" for s in tensor.shape]
        read = "whole" if tensor.domain == "index" else "array"
        yield f"{names[tensor.name]} = {read}({tensor.name!r}, symbols[{tensor.name!r}]{''.join(', ' + s for s in shape)})"
        for k, size in enumerate(tensor.shape):
            found = _new_size(size, known)
            if found is not None:
                size_, rest = found
                more = "" if rest == 0 else f" + {code.number(rest)}"
                yield f"{code.number(size_)} = {names[tensor.name]}.shape[{k}]{more}"
                known.add(size_)
    missing = [str(s) for s in program.sizes if s not in known]
    if missing:
        raise ShapeError("compile", f"no input tells the size {missing[0]}", "an input with an axis of that size")
    for tensor in waiting:
        if tensor.domain == "index" and tensor.classes is not None and tensor.classes.free_symbols <= known:
            rest = "" if tensor.ignored is None else f", {tensor.ignored}"
            yield f"within({tensor.name!r}, {names[tensor.name]}, {code.number(tensor.classes)}{rest})"


def _new_size(size: sp.Expr, known: set[sp.Basic]) -> tuple[sp.Symbol, sp.Expr] | None:
    """The one unknown size that an axis tells, and what to add to the axis length to get it."""
    unknown = [s for s in size.free_symbols if s not in known]
    if len(unknown) != 1 or sp.expand(size - unknown[0]).free_symbols - known:
        return None
    return unknown[0], sp.expand(unknown[0] - size)


def _lines(program: Program, code: NumpyCode, names: dict[str, str]) -> Iterator[str]:
    made: set[str] = set()
    for block in schedule(program):
        for d in block.definitions:
            pieces = len(program.by_name[d.name]) > 1 or block.is_loop or not _whole(d)
            if pieces and d.name not in made:
                shape = ", ".join(code.number(s) for s in d.target.shape)
                yield f"{names[d.name]} = np.zeros(({shape}{',' if len(d.target.shape) == 1 else ''}), dtype=dtype)"
            made.add(d.name)
        yield from _loop(block, code, program) if block.is_loop else _plain(block.definitions[0], code, program)


def _whole(d: Definition) -> bool:
    return all(span == a.range for span, a in zip(d.slice(), d.target.axes, strict=True))


def _plain(d: Definition, code: NumpyCode, program: Program) -> Iterator[str]:
    labels = tuple(i for i in d.indices if i in d.free)
    right = value(d, code, labels, ())
    if len(program.by_name[d.name]) == 1 and _whole(d):
        yield f"{code.names[d.name]} = {right}"
    else:
        yield f"{code.names[d.name]}[{_left(d, code)}] = {right}"


def value(d: Definition, code: NumpyCode, labels: tuple[sp.Symbol, ...], scalars: tuple[sp.Symbol, ...]) -> str:
    """The right side as an array over ``labels``, with the full shape of the left side."""
    node = lower_definition(d, scalars, code.tensors)
    right = code.aligned(node, labels)
    if set(node.labels) == set(labels):
        return right[1:-1] if right.startswith("(") and right.endswith(")") and _closes_last(right) else right
    free = d.free
    shape = ", ".join(code.number(sp.expand(free[i][1] - free[i][0] + 1)) for i in labels)
    return f"np.broadcast_to({right}, ({shape},)).copy()"


def _closes_last(text: str) -> bool:
    depth = 0
    for k, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0:
            return k == len(text) - 1
    return False


def _left(d: Definition, code: NumpyCode) -> str:
    parts = []
    for place, axis in zip(d.indices, d.target.axes, strict=True):
        lo, hi = d.free.get(place, (place, place))
        start, stop = sp.expand(lo - axis.lower), sp.expand(hi - axis.lower + 1)
        if place not in d.free:
            parts.append(code.number(start))
        elif (lo, hi) == axis.range:
            parts.append(":")
        else:
            parts.append(f"{code.number(start)}:{code.number(stop)}")
    return ", ".join(parts)


def _loop(block: Block, code: NumpyCode, program: Program) -> Iterator[str]:
    """One Python loop along time or depth; everything else inside stays arrays."""
    taken = {*code.names.values(), *code.sizes.values()}
    name = next(n for n in ("t", *(f"step{'_' * k}" for k in range(len(taken) + 1))) if n not in taken)
    step = sp.Symbol(name, integer=True)
    spans = [_span(block, d) for d in block.definitions]
    low = _extreme("min", [code.number(lo) for lo, _ in spans])
    high = _extreme("max", [code.number(sp.expand(hi + 1)) for _, hi in spans])
    order = f"range({low}, {high})"
    yield f"for {name} in {order if block.ascending else f'reversed({order})'}:"
    for d, (lo, hi) in zip(block.definitions, spans, strict=True):
        place = block.place(d)
        there = {place: step} if place in d.free else {}
        inner = Definition(d.target, tuple(i if i != place or not there else step for i in d.indices), d.expr.xreplace(there),
                           tuple((i, a, b) for i, a, b in d.ranges if i != place)) if there else d
        labels = tuple(i for i in inner.indices if i in {r[0] for r in inner.ranges})
        test = f"{name} == {code.number(lo)}" if lo == hi else f"{code.number(lo)} <= {name} <= {code.number(hi)}"
        yield f"    if {test}:"
        yield f"        {code.names[d.name]}[{_left_in_loop(inner, labels, code)}] = {value(inner, code, labels, (step,))}"


def _left_in_loop(d: Definition, labels: tuple[sp.Symbol, ...], code: NumpyCode) -> str:
    parts = []
    for place, axis in zip(d.indices, d.target.axes, strict=True):
        parts.append(":" if place in labels else code.number(sp.expand(place - axis.lower)))
    return ", ".join(parts)


def _span(block: Block, d: Definition) -> tuple[sp.Expr, sp.Expr]:
    place = block.place(d)
    return d.free.get(place, (place, place))


def _extreme(which: str, codes: list[str]) -> str:
    different = list(dict.fromkeys(codes))
    return different[0] if len(different) == 1 else f"{which}({', '.join(different)})"


def tensors_of(derivation: Derivation) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """(parameters, data): the inputs that are differentiated, and the others, in order."""
    inputs = derivation.program.inputs
    return tuple(t for t in inputs if t.name in derivation.wrt), tuple(t for t in inputs if t.name not in derivation.wrt)
