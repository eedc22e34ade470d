"""The public Python API: each function takes a model or a spec and returns a report, a plain typed object."""
