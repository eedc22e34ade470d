"""Code generation: the packed states of one model, and its functions as the text of generated Python."""
