"""Every step of the history, oldest first."""
