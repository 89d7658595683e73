"""How to talk: dialects render requests and read answers without any I/O; their fields are the known differences."""
