"""What people call their browsers, from what these call themselves."""

_NAMES = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrom", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "a Mac"),
    ("CrOS", "a Chromebook"),
    ("Linux", "Linux"),
)


def named(browser: str) -> str:
    """Only a hint for its owner: whoever signs in may claim to use any browser."""
    name = next((name for mark, name in _NAMES if mark in browser), None)
    system = next((system for mark, system in _SYSTEMS if mark in browser), None)
    if name is None:
        return browser[:60] or "An unnamed browser"
    return f"{name} on {system}" if system else name
