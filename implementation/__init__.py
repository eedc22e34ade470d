"""The reference system: a working task platform over real tables, one file per component of the design."""

if __name__ != "onceproof.implementation":
    # Under a second name every class would exist twice, and neither copy would know the objects of the other.
    raise ImportError("this package is imported as `onceproof.implementation`")
