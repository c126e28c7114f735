"""Mail on its way out: what a letter says, how it travels, and the task that empties the outbox."""
