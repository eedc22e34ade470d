"""The exactly-once task platform as a model: one file per component."""
