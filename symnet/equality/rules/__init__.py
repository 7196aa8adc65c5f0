"""One rule a kind of function: what its values are over the generators, and the relations that they satisfy."""
