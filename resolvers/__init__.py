"""How data is fetched and changed: GraphQL selections become SQL, commands become transactions."""
