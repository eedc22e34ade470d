"""Explicit-state exploration in plain Python: breadth-first search, liveness, least counterexamples, random walks."""
