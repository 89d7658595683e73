"""Speech as 16-bit samples of one channel: bare, or behind the header of a WAV file."""

import struct

from domain.errors import UnsupportedFeature
from domain.model.speech import SpeakCall, SpeechFormat

_MEDIA_TYPES = {SpeechFormat.WAV: "audio/wav", SpeechFormat.PCM: "audio/pcm"}
RATE = 24_000
"""Samples a second, where a vendor does not say."""


def media_type(call: SpeakCall) -> str:
    return _MEDIA_TYPES[_format(call)]


def check(call: SpeakCall, model: str) -> None:
    """UnsupportedFeature for a format that is more than samples."""
    if _format(call) not in _MEDIA_TYPES:
        raise UnsupportedFeature(f"speech as {_format(call).value}", model)


class Samples:
    """What comes of a vendor's samples by a call's format, which is WAV unless PCM is asked for."""

    def __init__(self, call: SpeakCall) -> None:
        self._headless = _format(call) is SpeechFormat.WAV

    def heard(self, samples: bytes, rate: int = RATE) -> bytes:
        """The samples, and the file's header before the first of them."""
        if not (self._headless and samples):
            return samples
        self._headless = False
        return _wav_header(rate) + samples


def _wav_header(rate: int) -> bytes:
    """That of a WAV file of one channel whose length is not known yet, which is written as the largest."""
    unknown = 2**32 - 1
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
    return b"RIFF" + struct.pack("<I", unknown) + b"WAVEfmt " + form + b"data" + struct.pack("<I", unknown)


def _format(call: SpeakCall) -> SpeechFormat:
    return call.format or SpeechFormat.WAV
