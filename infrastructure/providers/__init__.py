"""45 vendors, small: a dialect is how to talk, an adapter is whom to talk to, the gateway alone talks."""
