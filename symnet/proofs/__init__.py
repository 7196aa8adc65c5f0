"""Claims about training and their proofs. ``kernel`` is the only maker of a Proof; every Proof re-checks itself."""
