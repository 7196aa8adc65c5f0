"""Texts and small data sets that come with symnet."""
