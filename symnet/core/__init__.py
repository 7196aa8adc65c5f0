"""The nouns: axes, tensors, definitions, programs, steps, derivations, verdicts, claims and elementary functions."""
