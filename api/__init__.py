"""The driving side: GraphQL, OAuth and the command line."""
