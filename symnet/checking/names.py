"""What a name on somebody's page stands for: a symbol, an intermediate, dLoss/dw2, da2/dz2, sigmoid'(z), w1'."""

from __future__ import annotations

import re

import sympy as sp

from symnet.calculus import derive
from symnet.calculus.closed import closed_scalars
from symnet.calculus.evaluate import evaluate
from symnet.core.derivation import Derivation
from symnet.core.functions import BY_NAME
from symnet.core.program import Program
from symnet.core.tensors import Tensor
from symnet.errors import NameError_, ShapeError
from symnet.parsing.program import expression
from symnet.parsing.tokens import plain

SLOPE = re.compile(r"\bd\s?([A-Za-z]\w*)\s?/\s?d\s?([A-Za-z]\w*)")
PRIME_CALL = re.compile(r"\b([a-z]\w*)'\s*\(([^()]*)\)")
PRIME = re.compile(r"\b([A-Za-z]\w*)'")


class Names:
    """Exact values by name: the page's own first, then those of the derivation at its values."""

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation
        program = derivation.program
        self.all = derive(program, [t for t in program.tensors if t != program.objective])
        self.values = evaluate(self.all.full, derivation.values, dict(derivation.meta.get("sizes", {})))
        self.own: dict[str, sp.Expr] = {}
        self.slopes: dict[tuple[str, str], sp.Expr] = {}

    def exact(self, name: str) -> sp.Expr:
        """The exact value of a name as it is written on the page. Raises NameError_ for a name nobody defined."""
        name = plain(name)
        if name in self.own:
            return self.own[name]
        slope = SLOPE.fullmatch(name)
        if slope:
            return self._slope(slope[1], slope[2])
        if name.endswith("'"):
            return self._updated(name[:-1])
        if name == "alpha" and self.derivation.meta.get("learning_rate") is not None:
            return self.derivation.meta["learning_rate"]
        return self._plain(name)

    def _plain(self, name: str) -> sp.Expr:
        known = self._alias(name)
        if known not in self.all.program.tensors:
            raise NameError_("line", f"nobody defined {name!r}", "a name of the worksheet or of the lines above")
        if self.all.program[known].axes:
            raise ShapeError("line", f"{name!r} is an array", "a single number")
        return self.values.exact_scalar(known)

    def _alias(self, name: str) -> str:
        return self.derivation.objective if name.lower() in ("loss", "cost") else name

    def _slope(self, above: str, below: str) -> sp.Expr:
        above, below = self._alias(above), self._alias(below)
        if above == self.derivation.objective:
            return self.values.exact_scalar(self.all.gradient_name(below))
        if (above, below) not in self.slopes:
            program = self.derivation.program
            if above not in program.by_name:
                raise NameError_("line", f"nobody defined {above!r}", "a line of the worksheet")
            upto = max(k for k, d in enumerate(program.definitions) if d.name == above)
            part = Program(program.inputs, program.definitions[: upto + 1], above)
            cut = _independent(part, below)
            made = derive(cut, [below])
            there = closed_scalars(made.full, {t[()]: self._plain(t.name) for t in cut.inputs})
            self.slopes[above, below] = there[made.full[made.gradient_name(below)][()]]
        return self.slopes[above, below]

    def _updated(self, name: str) -> sp.Expr:
        rate = self.derivation.meta.get("learning_rate")
        if rate is None:
            raise NameError_("line", f"{name}' without a learning rate", "learning_rate in the worksheet")
        return self._plain(name) - rate * self.values.exact_scalar(self.all.gradient_name(name))

    def read(self, text: str, numbers: dict[str, sp.Expr] | None = None) -> sp.Expr:
        """The exact value of an expression on the page; ``numbers`` overrides values of names (the page's rounded ones)."""
        table: dict[str, tuple[str, sp.Expr]] = {}

        def stand(match: re.Match[str], value: sp.Expr | None = None) -> str:
            key = f"known{len(table)}"
            table[key] = (match.group(), value if value is not None else self._valued(match.group(), numbers))
            return key

        source = PRIME_CALL.sub(lambda m: stand(m, self._prime(m[1], m[2], numbers)), plain(text))
        source = SLOPE.sub(stand, source)
        source = PRIME.sub(stand, source)
        names = dict.fromkeys(n for n in re.findall(r"\b[A-Za-z]\w*\b(?!\s*\()", source) if n not in table)
        values = {n: self._valued(n, numbers) for n in names} | {k: v for k, (_, v) in table.items()}
        parsed = expression(source, {n: Tensor(n) for n in values}, {}, "line")
        return parsed.expr.xreplace({Tensor(n)[()]: v for n, v in values.items()})

    def _valued(self, name: str, numbers: dict[str, sp.Expr] | None) -> sp.Expr:
        key = name.replace(" ", "")
        return numbers[key] if numbers and key in numbers else self.exact(name)

    def _prime(self, function: str, argument: str, numbers: dict[str, sp.Expr] | None) -> sp.Expr:
        if function not in BY_NAME:
            raise NameError_("line", f"no function {function!r}", "one of " + ", ".join(BY_NAME))
        row, at = BY_NAME[function], self.read(argument, numbers)
        return row.derivative[0](at, row.function(at))


def _independent(program: Program, name: str) -> Program:
    """The program that starts at ``name``: its own definition and what only leads to it become given."""
    if name not in program.by_name:
        return program
    kept = [d for d in program.definitions if d.name != name]
    return Program((*program.inputs, program[name]), tuple(kept), program.objective)
