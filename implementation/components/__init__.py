"""The components of the design, one file each: API server, relay, balancer, scheduler, resource manager, agent."""
