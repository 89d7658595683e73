"""Streams of vendors that speak several dialects: their first frame tells which."""

from collections.abc import Callable, Iterator

from domain.errors import StreamBroken
from domain.model.events import ChatEvent
from infrastructure.providers.spec import Decoder, Frame


class FirstFrameDecoder:
    """The decoder that `choose` picks by the first frame; StreamBroken when none comes."""

    def __init__(self, choose: Callable[[Frame], Decoder]) -> None:
        self._choose = choose
        self._chosen: Decoder | None = None

    def feed(self, frame: Frame) -> Iterator[ChatEvent]:
        if self._chosen is None:
            self._chosen = self._choose(frame)
        yield from self._chosen.feed(frame)

    def end(self) -> Iterator[ChatEvent]:
        if self._chosen is None:
            raise StreamBroken("", 200)
        yield from self._chosen.end()
