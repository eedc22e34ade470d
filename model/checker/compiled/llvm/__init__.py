"""Compilation: a small part of Python lowered to LLVM, and the machine code kept on disk by content."""
