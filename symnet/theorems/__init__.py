"""Theorems about neural networks as data, one file a topic, and the verb that proves them and claims of one's own."""
