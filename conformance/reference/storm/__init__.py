"""A storm on the reference platform: real processes are killed at measured moments, and every result is checked."""
