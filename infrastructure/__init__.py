"""The driven side: database, cryptography and vendors, each behind a port of the domain."""
