"""The models, and the tools that check them."""

if __name__ != "onceproof.model":
    # Under a second name every class would exist twice, and neither copy would know the objects of the other.
    raise ImportError("this package is imported as `onceproof.model`")
