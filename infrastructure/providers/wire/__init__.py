"""Bytes to frames and bodies, within bounds."""


class Malformed(Exception):
    """Bytes that break their format or outgrow their bound; the message says how, and quotes none of them."""
