"""Databases that a platform can keep its tasks in."""
