"""Array operations as index definitions, once for every way in: a graph of operations, arrays in index form, and the lines they become."""
