"""The worksheets that come with symnet, by name."""
