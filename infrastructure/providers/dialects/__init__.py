"""How to talk: each dialect renders requests and reads answers without any I/O; its fields are the known differences."""
