"""The processes of the platform: one for each scheduler and agent, and one each for the services."""
