"""Icons for providers: monograms drawn here, because vendors' logos are their trademarks."""

import re
from colorsys import hls_to_rgb
from functools import cache
from hashlib import sha256
from html import escape
from urllib.parse import quote

_WORD = re.compile(r"[^\W_]+")
_CONTRAST = 4.5  # WCAG 2.2, 1.4.3


@cache
def monogram(label: str) -> str:
    """A data URI of an SVG: the label's initials in white on a colour of its own, titled with the label."""
    title = escape(label)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" role="img"><title>{title}</title>'
        f'<rect width="64" height="64" rx="14" fill="{colour(label)}"/>'
        '<text x="32" y="42" font-family="system-ui,sans-serif" font-size="28" font-weight="600" '
        f'text-anchor="middle" fill="#fff">{escape(initials(label))}</text></svg>'
    )
    return "data:image/svg+xml," + quote(svg, safe="/:=' ")


def initials(label: str) -> str:
    """Of the first two words, or the first two letters of a single one."""
    words = _WORD.findall(label)
    letters = words[0][:2] if len(words) == 1 else "".join(word[0] for word in words[:2])
    return letters[:1].upper() + letters[1:] if len(words) == 1 else letters.upper()


def colour(label: str) -> str:
    """Always the same for a label: a hue by its hash, as light as white letters on it allow."""
    seed = sha256(label.encode()).digest()
    hue, saturation = int.from_bytes(seed[:2]) / 65_536, 0.45 + seed[2] / 640
    lightness = 0.55
    while contrast_with_white(rgb := hls_to_rgb(hue, lightness, saturation)) < _CONTRAST:
        lightness -= 0.01
    return "#" + "".join(f"{int(channel * 255):02x}" for channel in rgb)


def contrast_with_white(rgb: tuple[float, float, float]) -> float:
    """The contrast ratio of WCAG 2.2 for channels from 0 to 1."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)
