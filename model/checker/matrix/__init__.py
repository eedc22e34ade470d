"""The matrix: which mechanism carries which property under which fault, and which minimal sets suffice."""
