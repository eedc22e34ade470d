"""The reference system: a working platform with the same components as the model."""
