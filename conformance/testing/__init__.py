"""Stateful tests: Hypothesis drives a system along the model, towards transitions not yet covered."""
