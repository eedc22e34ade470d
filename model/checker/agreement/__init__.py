"""The net under the reader: what was read from the source is held against the functions themselves, run by Python."""
