"""Proof for any size: a model read without bounds, verification conditions, induction, certificates."""
