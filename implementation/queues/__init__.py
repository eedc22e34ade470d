"""Queue backends: messages in the store's own table, or on a broker elsewhere. `registry.py` lists them."""
