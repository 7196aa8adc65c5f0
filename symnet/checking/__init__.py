"""Hand-written answers and worked lines against a Derivation: verdicts with a diagnosis."""
