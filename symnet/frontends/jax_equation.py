"""One equation of a jaxpr, and JAX's dimensions as SymPy."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

import sympy as sp

from symnet.core.axes import size as to_size
from symnet.indexing.graph import Graph, unsupported
from symnet.indexing.operations import Array, Maker


class Equation:
    """One equation of a jaxpr as the readers in ``primitives.py`` see it."""

    def __init__(self, graph: Graph, eqn: Any, args: list[int], where: str) -> None:
        self.graph, self.args, self.where = graph, args, where
        self.name = str(eqn.primitive.name)
        self.params: dict[str, Any] = eqn.params
        self.inputs, self.outputs = [v.aval for v in eqn.invars], [v.aval for v in eqn.outvars]

    @property
    def maker(self) -> Maker:
        """What adds whole operations."""
        return Maker(self.graph, self.where)

    @property
    def arrays(self) -> list[Array]:
        """The arguments with their shapes."""
        return [Array(a, self.sizes(v.shape)) for a, v in zip(self.args, self.inputs, strict=True)]

    def sizes(self, shape: Sequence[Any]) -> tuple[sp.Expr, ...]:
        """Sizes as SymPy."""
        return tuple(dimension(n, self.where) for n in shape)

    def refuse(self, found: str, expected: str = "an operation that symnet reads") -> Exception:
        """The error for this equation."""
        return unsupported(found, self.where, expected)


def dimension(value: Any, where: str) -> sp.Expr:
    """A JAX dimension as SymPy: 3, N, or a polynomial such as N*h + 1.

    >>> dimension("2*N^2 + d", "")
    2*N**2 + d
    """
    def build(node: ast.AST) -> sp.Expr:
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return sp.Integer(node.value)
        if isinstance(node, ast.Name):
            return to_size(node.id)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -build(node.operand)
        if isinstance(node, ast.BinOp):
            left, right = build(node.left), build(node.right)
            for kind, made in ((ast.Add, left + right), (ast.Sub, left - right), (ast.Mult, left * right), (ast.Pow, left**right)):
                if isinstance(node.op, kind):
                    return made
        raise unsupported(f"the size {value}", where, "a polynomial in sizes")

    return build(ast.parse(str(value).replace("^", "**"), mode="eval").body)
