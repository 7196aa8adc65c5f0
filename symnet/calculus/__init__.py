"""Program -> Derivation: the chain rule, index sums, folding, instantiation to scalars, closed forms, exact values."""

from symnet.calculus.derive import derive

__all__ = ["derive"]
