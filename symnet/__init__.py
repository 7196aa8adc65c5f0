"""symnet: the mathematics of neural networks, derived, proved, checked, run and printed."""

__version__ = "0.1.0"
