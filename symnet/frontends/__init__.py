"""Models of other frameworks as programs, and derivations as source for other frameworks."""
