"""The reference system: a working task platform over real tables, one file per component of the design."""
