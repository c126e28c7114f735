"""What the gateway is built on, beside what it could be: server, event loop, JSON, pool, check of a token."""
