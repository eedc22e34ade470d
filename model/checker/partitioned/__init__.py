"""Exploration by partitions: each has the states that their hashes give it, in a process or on a machine of its own."""
