"""The command line: symnet report | derive | check | prove | train."""
