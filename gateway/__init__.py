"""Who asks and what leaves: HTTP, identity, contracts, egress, the command line. Nobody imports it."""
