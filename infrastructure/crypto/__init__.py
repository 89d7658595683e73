"""Keys and envelopes: how secrets rest."""
