"""The platform's HTTP side: the public API of Function Compute in its three published versions."""
