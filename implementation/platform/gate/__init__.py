"""The gate: a replay holds every process of the platform, and permits one action at a time."""
