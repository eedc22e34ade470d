"""Transition coverage: walks that take a system along every transition of a model in the fewest steps."""
