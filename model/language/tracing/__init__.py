"""Tracing: a model function run once on symbolic indices, and every way through it as a guarded update."""
