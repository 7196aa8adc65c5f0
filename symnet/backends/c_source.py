"""A derivation as one file of C99 for given sizes: no allocation, nothing needed but the C library's mathematics."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import sympy as sp

from symnet.arrays.stable import stable
from symnet.backends.c_code import CCode, c_name
from symnet.backends.c_functions import HELPERS, finished
from symnet.backends.c_kernel import Line, Memory
from symnet.backends.source import computed
from symnet.core.axes import nonnegative
from symnet.core.derivation import Derivation
from symnet.core.program import Program
from symnet.core.short_forms import listed
from symnet.core.tensors import Tensor
from symnet.errors import OptionError, did_you_mean, shown

ALIGNED = 8  # arrays of the work memory begin at multiples of this many numbers
WIDTHS = {"float64": "double", "float32": "float"}


def sizes_of(program: Program, given: Mapping[str, object] | None) -> dict[sp.Symbol, int]:
    """Every size of a program as a number. Raises OptionError for one that is missing, unknown or too small."""
    given = dict(given or {})
    known = {str(s): s for s in program.sizes}
    for name in given:
        if name not in known:
            raise OptionError("sizes", f"no size named {shown(name)}", listed(list(known), 60) or "no size: all are numbers",
                              did_you_mean(str(name), list(known)))
    missing = [name for name in known if name not in given]
    if missing:
        raise OptionError("sizes", f"no number for {', '.join(missing)}", "a whole number for every size: C's arrays have fixed sizes",
                          "sizes={" + ", ".join(f"{name!r}: 8" for name in missing) + "}")
    made = {}
    for name, value in given.items():
        least = max(program.least.get(known[name], 1), 1)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise OptionError(f"sizes, {name}", shown(value), f"a whole number, at least {least}")
        made[known[name]] = value
    for axis in program.axes:
        number = axis.size.xreplace({s: sp.Integer(n) for s, n in made.items()})
        if not nonnegative(axis.size, program.least) and sp.expand(number) < 0:
            raise OptionError("sizes", f"{axis.size} = {sp.expand(number)}", "a size that is not negative")
    return made


def c_source(derivation: Derivation, sizes: Mapping[str, object] | None = None, dtype: str = "float64", outputs: Sequence[str] = (),
             update: bool = False) -> str:
    """The file. ``outputs`` are lines that ``symnet_forward`` gives; with ``update`` there is ``symnet_sgd`` too."""
    numbers = sizes_of(derivation.full, sizes)
    for name in outputs:
        if name not in derivation.program.by_name:
            lines = list(derivation.program.by_name)
            raise OptionError("export, outputs", f"no line named {shown(name)}", listed(lines, 60), did_you_mean(str(name), lines))
    file = CFile(derivation, numbers, dtype)
    file.gradient()
    if update:
        file.sgd()
    if not derivation.full.tensors[derivation.objective].axes:
        file.loss()
    if outputs:
        file.forward(tuple(outputs))
    return file.text()


class CFile:
    """The parts of one file, which share its functions."""

    def __init__(self, derivation: Derivation, sizes: Mapping[sp.Symbol, int], dtype: str, fast: bool = False) -> None:
        if dtype not in WIDTHS:
            raise OptionError("export", f"the dtype {shown(dtype)}", "one of " + ", ".join(WIDTHS), did_you_mean(dtype, WIDTHS))
        self.derivation, self.sizes, self.dtype = derivation, sizes, dtype
        self.code = CCode(sizes, fast)
        self.helpers: Mapping[str, str] = HELPERS
        self.words: Callable[[str], str] = str  # the names of functions as they are called here
        self.bodies: list[str] = []
        self.room = 1
        self.inputs = derivation.program.inputs
        self.slots: dict[str, str] = {}

    def shape(self, tensor: Tensor) -> tuple[int, ...]:
        """The sizes of its axes."""
        return tuple(self.code.whole(s) for s in tensor.shape)

    def told(self, tensor: Tensor) -> str:
        """The shape for a comment."""
        return " x ".join(map(str, self.shape(tensor))) or "a number"

    def gradient(self) -> None:
        """``symnet_gradient``: the objective, and all gradients where ``out`` points."""
        d = self.derivation
        there = {d.gradient_name(w): f"out->{c_name(w)}" for w in d.wrt}
        if d.full.tensors[d.objective].axes:
            there[d.objective] = f"out->{c_name(d.objective)}"
        self._part(computed(d), there, "symnet_gradient", "const symnet_inputs *in, const symnet_gradients *out",
                   "the objective, or the first entry of it; the gradients are written to out")

    def loss(self) -> None:
        """``symnet_loss``: the objective alone."""
        d = self.derivation
        self._part(self._forward((d.objective,)), {}, "symnet_loss", "const symnet_inputs *in", "the objective")

    def forward(self, outputs: tuple[str, ...]) -> None:
        """``symnet_forward``: the lines asked for."""
        self.slots = {name: c_name(name) for name in outputs}
        program = self._forward(outputs)
        self._part(program, {name: f"out->{c_name(name)}" for name in outputs}, "symnet_forward",
                   "const symnet_inputs *in, const symnet_outputs *out", "the lines that were asked for are written to out", outputs[-1])

    def _forward(self, outputs: tuple[str, ...]) -> Program:
        return stable(self.derivation.program, list(outputs))

    def sgd(self) -> None:
        """``symnet_sgd``: a step of gradient descent on the parameters themselves."""
        d = self.derivation
        wrong = [w for w in d.wrt if w not in {t.name for t in self.inputs}]
        if wrong or d.full.tensors[d.objective].axes:
            raise OptionError("export, update", f"{wrong[0]}, which is computed" if wrong else "an objective that is no number",
                              "parameters that are inputs, and a number to make small")
        lines = ["/* one step of gradient descent: each parameter minus rate times its gradient, in place */",
                 "real symnet_sgd(const symnet_inputs *in, const symnet_gradients *out, symnet_memory *memory, real rate)", "{",
                 "    const real objective = symnet_gradient(in, out, memory);"]
        for w in d.wrt:
            name, count = c_name(w), Memory(self.shape(d.full.tensors[w])).count
            lines += [f"    for (int i = 0; i < {count}; i++)", f"        in->{name}[i] -= rate*out->{name}[i];"]
        self.bodies.append("\n".join([*lines, "    return objective;", "}", ""]))

    def _part(self, program: Program, there: Mapping[str, str], function: str, taken: str, gives: str, last: str = "") -> None:
        d = self.derivation
        objective = last or d.objective
        lines = self.code.part(program, there)
        memory, c = self.code.memory, {c_name(name): place for name, place in there.items()}
        used = {name for line in lines for name in line.arrays()}
        head, end = [], []
        for t in program.inputs:
            name = c_name(t.name)
            if name in used or t.name in there or t.name == objective:
                star = "" if not t.axes else "*"
                head.append(f"const {memory[name].kind} {star}{'const ' * bool(star)}{name} = in->{name}{'' if star else '[0]'};")
        for name, place in c.items():
            if name[2:] in program.by_name and memory[name].sizes:
                head.append(f"real *const {name} = {place};")
            elif memory[name].sizes:
                end.append(f"memcpy({place}, {name}, {memory[name].count}*sizeof(real));")
            else:
                end.append(f"{place}[0] = {name};")
        own = {name for name in used if memory[name].sizes and name not in c and name not in {c_name(t.name) for t in program.inputs}}
        plan, room = planned(lines, {name: memory[name].count for name in own})
        self.room = max(self.room, room)
        head += [f"real *const {name} = memory->work + {at};" for name, at in plan.items()]
        value = c_name(objective)
        answer = value if not memory[value].sizes else f"{value}[0]"
        kind = "void" if last else "real"
        body = [f"/* {gives} */", f"{kind} {function}({taken}, symnet_memory *memory)", "{", *[f"    {line}" for line in head]]
        if not plan:
            body.append("    (void)memory;")
        if not any("in->" in line for line in head):
            body.append("    (void)in;")
        if "out" in taken and not c:
            body.append("    (void)out;")
        for line in lines:
            body += line.texts()
        body += [f"    {line}" for line in end]
        if not last:
            body.append(f"    return {answer};")
        self.bodies.append("\n".join([*body, "}", ""]))

    def text(self) -> str:
        """The whole file."""
        functions, bodies = self.words("\n".join(self.code.sources())), self.words("\n".join(self.bodies))
        helpers = "\n".join(self.helpers[name] for name in needed(functions + bodies, self.helpers))
        made = finished("\n".join([*self._head(), helpers, functions, bodies]), self.dtype)
        return re.sub(r"\n{3,}", "\n\n", made)

    def _head(self) -> Iterator[str]:
        d, real = self.derivation, WIDTHS[self.dtype]
        told = ", ".join(f"s_{s} = {n}" for s, n in self.sizes.items())
        yield f"""/* Made by symnet: the objective, its gradients and what they need, for fixed sizes{': ' * bool(told)}{told}.

   C99 and the mathematics of the C library, nothing else; no memory is allocated. Compile with -std=c99 (or -ffp-contract=off) and
   without -ffast-math: cases that tie are told by equal results of equal formulas. Arrays lie in rows: the last axis first. */

#include <math.h>
#include <string.h>

typedef {real} real;

/* what is given */
typedef struct {{"""
        for t in self.inputs:
            changed = t.name in d.wrt
            kind = "const int" if t.domain == "index" else "real" if changed else "const real"
            yield f"    {kind} *{c_name(t.name)};  /* {self.told(t)} */"
        yield "} symnet_inputs;\n\n/* where the gradients go */\ntypedef struct {"
        for w in d.wrt:
            yield f"    real *{c_name(w)};  /* {self.told(d.full.tensors[d.gradient_name(w)])} */"
        if d.full.tensors[d.objective].axes:
            yield f"    real *{c_name(d.objective)};  /* {self.told(d.full.tensors[d.objective])}: the objective itself */"
        yield "} symnet_gradients;\n"
        if self.slots:
            yield "/* where the lines that were asked for go */\ntypedef struct {"
            for name, own in self.slots.items():
                yield f"    real *{own};  /* {self.told(d.program.tensors[name])} */"
            yield "} symnet_outputs;\n"
        yield "/* room to work in; nothing in it has to be kept between calls */\ntypedef struct {"
        yield f"    real work[{self.room}];\n}} symnet_memory;\n"


def planned(lines: Sequence[Line], counts: Mapping[str, int]) -> tuple[dict[str, int], int]:
    """Where each array lies in one piece of memory, which arrays that are not needed at the same time share; and its size."""
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for at, line in enumerate(lines):
        for name in line.arrays():
            if name in counts:
                first.setdefault(name, at)
                last[name] = at
    plan: dict[str, int] = {}
    room = 0
    for name in sorted(first, key=lambda n: (-counts[n], first[n])):  # large ones first
        size = -(-max(counts[name], 1) // ALIGNED) * ALIGNED
        taken = sorted((plan[n], plan[n] + -(-max(counts[n], 1) // ALIGNED) * ALIGNED) for n in plan
                       if first[n] <= last[name] and first[name] <= last[n])
        at = 0
        for low, high in taken:
            if at + size <= low:
                break
            at = max(at, high)
        plan[name] = at
        room = max(room, at + size)
    return dict(sorted(plan.items(), key=lambda item: first[item[0]])), max(room, 1)


def needed(text: str, helpers: Mapping[str, str]) -> list[str]:
    """The helpers that a text calls, and those that they call, in an order in which each stands before its users."""
    made: list[str] = []

    def visit(part: str) -> None:
        for name in helpers:
            if name not in made and name not in open_ and re.search(rf"\b{name}\(", part):
                open_.add(name)
                visit(helpers[name])
                made.append(name)

    open_: set[str] = set()
    visit(text)
    return made
