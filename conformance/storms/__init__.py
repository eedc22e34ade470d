"""Storms: real task queues under real faults, predicted by the model and confirmed on the machine."""
