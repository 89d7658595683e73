"""Frozen values and pure functions: the words of Portunus and its rules, without a single await."""
