"""How an agent runs users' functions: a pool of child processes, and what runs in each of them."""
