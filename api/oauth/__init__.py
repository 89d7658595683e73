"""The authorization server: Authlib's grants, used without I/O, over the access use cases."""
