"""The HTTP edge: GraphQL over HTTP, errors, health, CORS."""
