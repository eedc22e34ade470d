"""What holds a running system against the model: drivers, replay, stateful tests."""

if __name__ != "onceproof.conformance":
    # Under a second name every class would exist twice, and neither copy would know the objects of the other.
    raise ImportError("this package is imported as `onceproof.conformance`")
