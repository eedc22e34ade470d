"""The reference system in one process: the components wired to one SQLite file, with the network and time passed in."""
