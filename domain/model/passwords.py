"""Which passwords are taken: long ones that are not the first to be guessed (NIST SP 800-63B, section 3.1.1.2)."""

import unicodedata

from domain.errors import InvalidRange

SHORTEST, LONGEST = 12, 1_024
"""Characters (code points) in normal form C."""

_TRIED_FIRST = """
adminadminadmin administrator changemechangeme correcthorsebatterystaple iloveyouiloveyou letmeinletmein letmeinplease
mypassword123 mypassword1234 passphrase123 password1234 password12345 password123456 password1234567 password123!
passwordpassword passw0rd1234 p@ssw0rd1234 p@ssword1234 qwerty123456 qwerty12345678 qwertyqwerty qwertyuiop12
qwertyuiop123 qwertyuiopas qwertyuiop[] 1q2w3e4r5t6y 1qaz2wsx3edc 1qazxsw23edc 123456123456 123456789012 1234567890123
123456789012345 1234567890qwerty 0123456789012 012345678901 098765432109 987654321098 abcdefghijkl abcdefghijklm
abcd12345678 abc123abc123 asdfghjkl123 asdfghjklasdfghjkl zaq12wsxcde3 trustno1trustno1 welcome12345 welcome123456
welcomewelcome superman1234 sunshine1234 princess1234 football1234 baseball1234 dragon123456 monkey123456 summer123456
secretsecret
"""
"""Some of those that everybody tries, of this length: no list of leaked ones."""

_COMMON = frozenset(_TRIED_FIRST.split())


def normal(password: str) -> str:
    """The same characters typed on another keyboard are the same password."""
    return unicodedata.normalize("NFC", password)


def checked_password(password: str, *known: str, field: str = "password") -> str:
    """In normal form; InvalidRange for one that is short, or that those who know the person, `known`, would try."""
    password = normal(password)
    if len(password) < SHORTEST:
        raise InvalidRange(field, f"must have at least {SHORTEST} characters")
    if len(password) > LONGEST:
        raise InvalidRange(field, f"must have at most {LONGEST} characters")
    told = password.casefold()
    if told in _COMMON or len(set(told)) < 3 or not told.replace("portunus", "").strip("0123456789!."):
        raise InvalidRange(field, "is among the first that others would try; choose another")
    if told in {normal(each).casefold() for each in known}:
        raise InvalidRange(field, "must not be your name or e-mail address")
    return password
