"""What Portunus decides, in plain Python: no framework, database, network or vendor is known here."""
