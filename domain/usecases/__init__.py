"""What an actor can do, one method per use case; the first line of each requires its scope."""
