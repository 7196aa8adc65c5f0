"""A hand-written NumPy forward and backward pass, run on symbolic arrays and judged gradient by gradient."""
