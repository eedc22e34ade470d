"""A model as TLA+: plain text that independent checkers read."""
