"""The command line and its reports: the only package that prints."""
