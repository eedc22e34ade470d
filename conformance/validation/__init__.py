"""Validation: does some run of the model explain a log? Trace validation, decided by search."""
