"""Text to SymPy by grammar, with limits; nothing is ever evaluated."""

from symnet.parsing.latex import latex_expression
from symnet.parsing.program import expression, program

__all__ = ["expression", "latex_expression", "program"]
