"""Replay: model and system take the same steps, and their states are compared after each."""
