"""The reference components as processes: each has its own memory and connection, and acts only when it gets leave."""
