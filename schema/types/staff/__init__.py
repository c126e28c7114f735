"""GraphQL types of the officer's contract, by noun. They are in a schema of their own (`resolvers.staff`)."""
