"""Vendors that run on loopback: shaped like the real ones, and able to fail like them."""
