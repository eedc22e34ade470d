"""Search with its states on disk: sorted runs, and duplicates found a level at a time.

A hash table on disk is slow, as each lookup goes to another place of it. Here nothing is looked up alone: what the
states of a level lead to is gathered, sorted by its fingerprints, and compared with all that is known in one pass
(delayed duplicate detection: Korf, Best-First Frontier Search with Delayed Duplicate Detection, 2004). Whole states are
kept beside the fingerprints, and compared where these are equal, so that none is overlooked.
"""
