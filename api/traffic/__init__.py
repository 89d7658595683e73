"""What one process lets each client and each tenant do: how much, how often, how many at once, and in which turn."""
