"""How processes of the platform talk to each other: frames, links that reconnect, doorbells."""
