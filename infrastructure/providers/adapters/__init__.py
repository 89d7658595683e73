"""Whom to talk to: one file of declarations per vendor."""
