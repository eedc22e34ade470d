"""The inner loops of the search, written once for all models, and compiled to machine code when first called."""
