"""Equality for all sizes: a normal form of sums over indices."""
