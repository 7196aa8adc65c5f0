"""Hand-written answers and worked lines against a Derivation: verdicts, and the slip in what is wrong."""
