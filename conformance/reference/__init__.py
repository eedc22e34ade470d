"""Drivers of the reference system: the components in one process, and the platform as it runs."""
