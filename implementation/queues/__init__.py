"""Queue backends: messages in the store's own table, or on a broker elsewhere; `backends.py` lists them."""
