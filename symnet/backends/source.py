"""A whole program as the source of a module that imports numpy alone and defines ``value_and_grad(**symbols)``."""

from __future__ import annotations

import keyword
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import sympy as sp

from symnet.arrays.arguments import with_arguments
from symnet.arrays.lowering import Lowering
from symnet.arrays.softmaxes import as_softmaxes
from symnet.arrays.stable import Names, stable
from symnet.arrays.stable_functions import grouped
from symnet.arrays.tree import Number
from symnet.backends.brackets import whole as bracketed
from symnet.backends.numpy_code import NumpyCode, constant
from symnet.backends.sharing import shared
from symnet.backends.stable_code import HELPERS as STABLE
from symnet.backends.stable_code import needed
from symnet.core.axes import Axis, Range, nonnegative
from symnet.core.derivation import Derivation
from symnet.core.expressions import When, fresh
from symnet.core.functions import stop_gradient
from symnet.core.program import Definition, Program
from symnet.core.schedule import Block, schedule
from symnet.core.tensors import Role, Tensor
from symnet.errors import ShapeError

TAKEN = set("""copied vdot prepare compute scatter whole within np softmax logsumexp logdet erf symbols value_and_grad array dtype min
max range reversed float forward jax jnp torch math asarray maximum minimum logaddexp heaviside broadcast_to
stop_gradient""".split())
MARK = re.compile(r"\b__t(\d+)\b")  # stands for a tensor; no name begins so
HELPERS = {
    **STABLE,
    "logdet": """def logdet(a):
    sign, value = np.linalg.slogdet(a)
    return np.where(sign > 0, value, np.nan)
""",
    "adjugate": """def adjugate(a):
    # det(a) inv(a), also of a matrix without an inverse, by the singular values: a = u s v, adj(a) = det(u v) v' adj(s) u'
    u, s, v = np.linalg.svd(a)
    n = np.arange(0, s.shape[-1])
    others = np.where(n[:, None] == n, 1, s[..., None, :]).prod(axis=-1)
    sign = (np.linalg.det(u)*np.linalg.det(v))[..., None, None]
    return sign*((v.swapaxes(-1, -2)*others[..., None, :]) @ u.swapaxes(-1, -2))
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
    "gathered": """def gathered(v, *at):
    # entries at places of which a condition leaves out those outside; of an array without entries, all
    return v[at] if 0 not in v.shape else np.asarray(0*sum(at), dtype=dtype)
""",
    "stop_gradient": """def stop_gradient(u):
    return u
""",
    "erf": """def erf(z):
    from math import erf as one
    z = np.asarray(z)
    return np.fromiter(map(one, z.ravel().tolist()), dtype, z.size).reshape(z.shape)
""",
}
HEAD = '''"""Made by symnet: value_and_grad(**symbols) takes arrays by name."""

import numpy as np

dtype = np.DTYPE


def array(name, value, *shape):
    made = np.asarray(value, dtype=dtype)
    if made.shape != shape and (made.ndim != len(shape) or any(s is not None and s != n for s, n in zip(shape, made.shape))):
        raise ValueError(f"{name}: shape {made.shape}; expected {shape} (None is any size)")
    return made

'''


def results_of(derivation: Derivation) -> tuple[str, ...]:
    """The lines that compiled code hands out: the objective and the gradients."""
    return (derivation.objective, *[derivation.gradient_name(w) for w in derivation.wrt])


def named(derivation: Derivation) -> Derivation:
    """The derivation that compiled code carries out: the same, with the arguments of functions as lines of their own, and softmaxes without
    the shift that all exponents hold; made once.

    >>> import symnet as sn
    >>> d = sn.derive(sn.program("L = tanh(x @ w)", tensors={"x": ("n",), "w": ("n",)}), wrt=["w"])
    >>> print(named(d).gradients["w"])
    dL_dw[i] = dL_dL_in*x[i]
    """
    kept: dict[str, Derivation] = derivation.__dict__
    if "_named" not in kept:
        program = with_arguments(derivation.program)
        program = as_softmaxes(program, Names(program).unfold) if any(d.expr.has(sp.exp) for d in program) else program
        kept["_named"] = derivation if program is derivation.program else derivation.again(program)
    return kept["_named"]


def computed(derivation: Derivation, more: Iterable[str] = ()) -> Program:
    """The lines of compiled code, and ``more``."""
    made = named(derivation)
    return stable(made.full, tuple(dict.fromkeys((*results_of(made), *(name for name in more if name in made.full.by_name)))))


def numpy_source(derivation: Derivation, dtype: str = "float64") -> str:
    """The source. Sizes are read off the arrays; what overflows when written naively (softmax, log σ) is computed stably."""
    program = computed(derivation)
    names = python_names(program)
    wanted = ", ".join(f"{w!r}: {_own(derivation.gradient_name(w), program, names)}" for w in derivation.wrt)
    return _module(program, names, f"{_own(program.objective, program, names)}, {{{wanted}}}", "value_and_grad", dtype)


def lines_source(derivation: Derivation, dtype: str = "float64", more: Iterable[str] = ()) -> str:
    """The source of ``lines(**symbols)``: the value of every line that ``numpy_source`` computes, and of ``more``, by name and in order."""
    program = computed(derivation, tuple(more))
    names = python_names(program)
    made = dict.fromkeys(d.name for block in schedule(program) for d in block.definitions)
    return _module(program, names, "{" + ", ".join(f"{name!r}: {names[name]}" for name in made) + "}", "lines", dtype)


def _own(name: str, program: Program, names: dict[str, str]) -> str:
    """A result is an array of its own, which shares no memory with an input or another result: what may be a view is copied."""
    first, *others = program.by_name.get(name, (None,))
    right = None if first is None else first.expr
    made = bool(others) or (isinstance(right, (sp.Add, sp.Mul, sp.Pow, sp.Function)) and not isinstance(right, (grouped, stop_gradient)))
    made = made or (isinstance(right, sp.Sum) and not right.has(When))
    if made and (name == program.objective or program.tensors[name].axes):
        return names[name]
    return f"np.array({names[name]}, dtype=dtype)" + ("[()]" if name == program.objective else "")


def forward_source(program: Program, *outputs: str, dtype: str = "float64") -> str:
    """The source of ``forward(**symbols)``, which computes one definition and only what it needs; of several a tuple."""
    kept = stable(program, list(outputs))
    used = {*outputs, *[name for d in kept.definitions for name in kept.uses(d.name)]}
    inputs = [t for t in kept.inputs if t.name in used]
    sizes = set(Program(tuple(inputs), kept.definitions, outputs[-1]).sizes) - _told(inputs)
    for t in kept.inputs:  # a size that no array tells which is used
        if t not in inputs and _told([t]) & sizes:
            inputs.append(t)
            sizes -= _told([t])
    kept = Program(tuple(inputs), kept.definitions, outputs[-1])
    names = python_names(kept)
    return _module(kept, names, ", ".join(_own(o, kept, names) for o in outputs), "forward", dtype)


def _told(tensors: Iterable[Tensor]) -> set[sp.Basic]:
    return {s for t in tensors for n in t.shape for s in n.free_symbols}


def _module(program: Program, names: dict[str, str], result: str, function: str, dtype: str) -> str:
    """``prepare`` reads and checks what is given, ``compute`` is the mathematics on it, and ``function`` is one behind the other."""
    code = NumpyCode(program, names, size_names(program))
    read = "\n".join(f"    {line}" for line in _inputs(program, code))
    numbers = {code.number(s) for s in program.sizes}
    text = "\n".join(f"    {line}" for line in shared(list(_lines(program, code, names)), numbers, {*names.values(), *numbers, *TAKEN}))
    helpers = "\n\n".join(HELPERS[name] for name in needed(f"{read}\n{text}", HELPERS))
    held = ", ".join([*[names[t.name] for t in program.inputs], *[code.number(s) for s in program.sizes]])
    parts = [f"def prepare(**symbols):\n{read}\n    return {held}{',' if held.isidentifier() else ''}",
             f"def compute({held}):\n{text}\n    return {result}",
             f"def {function}(**symbols):\n    return compute(*prepare(**symbols))"]
    return HEAD.replace("DTYPE", dtype).replace("value_and_grad", function) + helpers + "\n\n" + "\n\n\n".join(parts) + "\n"


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
        while keyword.iskeyword(safe) or safe in TAKEN or safe in HELPERS or safe in taken:
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
                size_, factor, rest = found
                length = f"{names[tensor.name]}.shape[{k}]" + ("" if rest == 0 else f" + {code.number(rest)}")
                yield f"{code.number(size_)} = {length}" if factor == 1 else f"{code.number(size_)} = ({length}) // {factor}"
                known.add(size_)
                if factor != 1:
                    yield f"if {names[tensor.name]}.shape[{k}] != {code.number(size)}:"
                    yield f'    raise ValueError("{tensor.name}: " + str({names[tensor.name]}.shape[{k}]) + "; a size {size} expected")'
    missing = [str(s) for s in program.sizes if s not in known]
    if missing:
        raise ShapeError("compile", f"no input tells the size {missing[0]}", "an input with an axis of that size")
    for size, least in program.least.items():
        yield f"if {code.number(size)} < {least}:"
        yield f'    raise ValueError("{size}: " + str({code.number(size)}) + "; at least {least} expected")'
    for axis in dict.fromkeys(a.size for a in program.axes):
        if not nonnegative(axis, program.least):
            yield f"if {code.number(axis)} < 0:"
            yield f'    raise ValueError("{axis}: " + str({code.number(axis)}) + "; a size that is not negative expected")'
    for tensor in waiting:
        if tensor.domain == "index" and tensor.classes is not None and tensor.classes.free_symbols <= known:
            rest = "" if tensor.ignored is None else f", {tensor.ignored}"
            yield f"within({tensor.name!r}, {names[tensor.name]}, {code.number(tensor.classes)}{rest})"


def _new_size(size: sp.Expr, known: set[sp.Basic]) -> tuple[sp.Symbol, int, sp.Expr] | None:
    """The one unknown size s that an axis c s - r tells, with c and r."""
    unknown = [s for s in size.free_symbols if s not in known]
    factor = sp.expand(size).coeff(unknown[0]) if len(unknown) == 1 else sp.S.Zero
    if not factor.is_Integer or factor < 1 or sp.expand(size - factor * unknown[0]).free_symbols - known:
        return None
    return unknown[0], int(factor), sp.expand(factor * unknown[0] - size)


def _lines(program: Program, code: NumpyCode, names: dict[str, str]) -> Iterator[str]:
    made: set[str] = set()
    whole = _WholeLines(program, code)
    for block in schedule(program):
        for d in block.definitions:
            pieces = len(program.by_name[d.name]) > 1 or block.is_loop or not _whole(d)
            if pieces and d.name not in made:
                shape = ", ".join(code.number(s) for s in d.target.shape)
                yield f"{names[d.name]} = np.zeros(({shape}{',' if len(d.target.shape) == 1 else ''}), dtype=dtype)"
            made.add(d.name)
        if block.definition is not None:
            yield from whole.of(block.definition)
        else:
            yield from _block(block, code, program, ())


class _WholeLines:
    """Definitions outside of loops. Those that are the same but for names are printed once, and the names put in."""

    def __init__(self, program: Program, code: NumpyCode) -> None:
        self.program, self.code = program, code
        self.printed: dict[Hashable, list[str]] = {}

    def of(self, d: Definition) -> list[str]:
        """The lines of one definition."""
        shape, uses = d.shape
        tensors = self.program.tensors
        there = dict.fromkeys((d.name, *uses))
        facts = tuple((t.axes, t.domain, t.structure, t.classes, t.ignored) for t in map(tensors.__getitem__, there))
        key = shape, facts, d.target.role is Role.GRADIENT, len(self.program.by_name[d.name]), d.name in uses
        if key not in self.printed:
            marks = {name: f"__t{k}" for k, name in enumerate(there)}
            marked = NumpyCode(self.program, {**self.code.names, **marks}, self.code.sizes)
            self.printed[key] = list(_block(Block(d), marked, self.program, ()))
        own = [self.code.names[name] for name in there]
        return [MARK.sub(lambda mark: own[int(mark[1])], line) for line in self.printed[key]]


def _whole(d: Definition) -> bool:
    """True when every axis is covered by an index of its own."""
    return all(i in d.free and span == a.range for i, span, a in zip(d.indices, d.slice(), d.target.axes, strict=True))


@dataclass(frozen=True, slots=True)
class _Turn:
    """One loop around a line: its variable, the turns that it goes through, and where each tensor stands."""

    variable: sp.Symbol
    low: str
    high: str  # one past the last turn
    along: Mapping[str, tuple[int, int]]


def _block(block: Block, code: NumpyCode, program: Program, around: tuple[_Turn, ...]) -> Iterator[str]:
    """A definition as one line on whole arrays, or a Python loop; everything inside a loop that is no loop axis stays whole."""
    if block.definition is not None:
        yield from _assignment(block.definition, code, program, around)
        return
    variable = _loop_variable(block, code, around)
    spans = list(dict.fromkeys(block.turns()))
    low = _extreme("min", [code.number(lo) for lo, _ in spans])
    high = _extreme("max", [code.number(sp.expand(hi + 1)) for _, hi in spans])
    order = f"range({low}, {high})"
    yield f"for {variable.name} in {order if block.ascending else f'reversed({order})'}:"
    turn = _Turn(variable, low, high, {name: (axis, shift) for name, axis, shift in block.along})
    for step in block.steps:
        yield from (f"    {line}" for line in _block(step, code, program, (*around, turn)))


def _loop_variable(block: Block, code: NumpyCode, around: tuple[_Turn, ...]) -> sp.Symbol:
    """The author's letter where it is free; a symbol that equals no index of the program."""
    taken = {*code.names.values(), *code.sizes.values(), *TAKEN, *(t.variable.name for t in around)}
    own = {name: axis for name, axis, _ in block.along}
    letters = [str(d.indices[own[d.name]]) for d in block.definitions if d.indices[own[d.name]] in d.free]
    safe = [c for c in letters if c.isidentifier() and c.isascii() and not keyword.iskeyword(c)]
    names = (*safe, "t", *(f"step{'_' * k}" for k in range(len(taken) + 1)))
    return sp.Dummy(next(n for n in names if n not in taken), integer=True)


def _assignment(d: Definition, code: NumpyCode, program: Program, around: tuple[_Turn, ...]) -> Iterator[str]:
    """``d`` at the places where the loops around it stand."""
    places, ranges, tests = dict(enumerate(d.indices)), dict[sp.Symbol, Range](), list[str]()
    free, there = d.free, dict[sp.Basic, sp.Expr]()
    for turn in around:
        axis, shift = turn.along[d.name]
        low, high = (sp.expand(end - shift) for end in d.slice()[axis])
        if d.indices[axis] in free:
            there[d.indices[axis]] = places[axis] = turn.variable + shift
        ranges[turn.variable] = (low, high)
        first, last = code.number(low), code.number(sp.expand(high + 1))
        if low == high and (turn.low, turn.high) != (first, last):
            tests.append(f"{turn.variable.name} == {first}")
        elif (turn.low, turn.high) != (first, last):
            tests.append(f"{first} <= {turn.variable.name} <= {code.number(high)}")
    free = {i: span for i, span in free.items() if i not in there}
    labels = tuple(i for i in d.indices if i in free)
    inner = code.inside(ranges)
    right = value(d.expr.xreplace(there), free, inner, labels, d.target.role is not Role.GRADIENT)
    if not around and len(program.by_name[d.name]) == 1 and _whole(d):
        line = f"{code.names[d.name]} = {right}"
    else:
        left = ", ".join(_left(place, axis, free, code) for place, axis in zip(places.values(), d.target.axes, strict=True))
        line = f"{code.names[d.name]}[{left}] = {right}"
    if tests:
        yield f"if {' and '.join(tests)}:"
    yield f"    {line}" if tests else line


def value(expr: sp.Expr, free: Mapping[sp.Symbol, Range], code: NumpyCode, labels: tuple[sp.Symbol, ...], used: bool = False) -> str:
    """``expr`` as an array over ``labels``, with the full shape of the left side; ``free`` has the ranges of the labels.

    A number is an array of no axes where functions may be ``used`` on it; a gradient is only multiplied and added.
    """
    node = Lowering(free, code.tensors).node(fresh(expr))
    right = code.aligned(node, labels)
    if used and not labels and constant(node):
        return f"np.asarray({right}, dtype=dtype)"
    if set(node.labels) == set(labels):
        return right[1:-1] if bracketed(right) else right
    shape = ", ".join(code.length(free[i]) for i in labels)
    if isinstance(node, Number) and not node.labels and node.value.is_Integer:  # else an array of whole numbers
        right = f"np.asarray({right}, dtype=dtype)"
    return f"np.broadcast_to({right}, ({shape},)).copy()"


def _left(place: sp.Expr, axis: Axis, free: Mapping[sp.Symbol, Range], code: NumpyCode) -> str:
    """One axis of the left side: whole, a slice or a single place."""
    if place not in free:
        return code.number(sp.expand(place - axis.lower))
    low, high = free[place]
    start, stop = sp.expand(low - axis.lower), sp.expand(high - axis.lower + 1)
    return ":" if (low, high) == axis.range else f"{code.number(start)}:{code.counted(stop)}"


def _extreme(which: str, codes: list[str]) -> str:
    different = list(dict.fromkeys(codes))
    return different[0] if len(different) == 1 else f"{which}({', '.join(different)})"


def tensors_of(derivation: Derivation) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """(parameters, data): the inputs that are differentiated, and the others, in order."""
    inputs = derivation.program.inputs
    return tuple(t for t in inputs if t.name in derivation.wrt), tuple(t for t in inputs if t.name not in derivation.wrt)
