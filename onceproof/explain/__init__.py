"""Explanations of traces: why a property is false, what each step changed, what would have prevented it."""
