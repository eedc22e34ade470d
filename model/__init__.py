"""The models, and the tools that check them."""
