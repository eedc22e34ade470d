"""The brokers that a storm starts: real servers on loopback, durable, in the storm's own folder."""
