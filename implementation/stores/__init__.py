"""Databases and queues that a platform can keep its tasks in: SQLite, PostgreSQL, NATS JetStream."""
