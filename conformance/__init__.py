"""What holds a running system against the model: drivers, replay, stateful tests."""
