"""Text to SymPy by grammar, with limits; nothing is ever evaluated."""

from symnet.parsing.program import expression, program

__all__ = ["expression", "program"]
