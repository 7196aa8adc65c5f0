"""Layers, losses, optimizers, initializers and architectures, each a Program of a few lines."""
