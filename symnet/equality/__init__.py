"""Two expressions -> proved, refuted or undecided, with the certificate. SymPy's ``simplify`` and ``equals`` are not used."""
