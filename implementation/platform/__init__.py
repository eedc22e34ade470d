"""The platform as people run it: the core's components, each in a process of its own, under one supervisor."""
