"""Reading: the syntax tree of a model function interpreted over symbolic values, construct by construct.

What the reader does not know it refuses, with file, line and column: nothing is skipped, and nothing is executed.
"""
