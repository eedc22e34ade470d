"""The reference platform as it runs, under a gate: its own processes and loops, one action at a time."""
