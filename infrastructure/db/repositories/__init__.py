"""Tables to values and back, one file per aggregate."""
