"""Grounding: the guarded updates of a model with every index filled in, as tests of and writes to numbered cells."""
