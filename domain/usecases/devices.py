"""A device asks to be let in (RFC 8628, section 3.1); the person lets it in elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.errors import ChangedMeanwhile
from domain.model.access import Client, Scope
from domain.model.authorization import Device
from domain.model.issuing import Lifetimes
from domain.model.secret import Secret
from domain.model.tokens import SECRET_BYTES, Kind, digest, mint
from domain.ports import Begin, Clock, Fresh, Randomness
from domain.usecases.proving import Prove, proven

INTERVAL = timedelta(seconds=5)
"""How long a device waits between two looks."""
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_LENGTH = 8
_TRIES = 10


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the device is told: the code that it shows to the token endpoint, and the one for the person."""

    device_code: Secret
    user_code: str
    expires_in: timedelta

    @property
    def shown_code(self) -> str:
        return f"{self.user_code[:4]}-{self.user_code[4:]}"


@dataclass(frozen=True, slots=True)
class Devices:
    begin: Begin
    clock: Clock
    fresh: Fresh
    randomness: Randomness
    lifetimes: Lifetimes

    async def start(
        self, client_id: str, prove: Prove, asked: Callable[[Client], tuple[frozenset[Scope], str | None]]
    ) -> Waiting:
        """Let a device wait for what `asked` finds the client to ask for: scopes, and the resource. Unauthenticated."""
        now = self.clock()
        async with proven(self.begin, now, client_id, prove) as (work, client):
            scopes, resource = asked(client)
            token = mint(Kind.DEVICE_CODE, client.tenant_id, self.randomness(SECRET_BYTES))
            for _ in range(_TRIES):
                device = self._device(client, token, scopes, resource, now)
                if await work.devices.add(device):
                    return Waiting(Secret(token), device.user_code, self.lifetimes.device)
        raise ChangedMeanwhile("device")

    def _device(
        self, client: Client, token: str, scopes: frozenset[Scope], resource: str | None, now: datetime
    ) -> Device:
        return Device(
            client.tenant_id,
            digest(token),
            self._user_code(),
            client.id,
            scopes,
            self.fresh(),
            now + self.lifetimes.device,
            resource=resource,
        )

    def _user_code(self) -> str:
        """20 letters to the eighth: 34 bits. Bytes that would favour the first letters are passed over."""
        drawn: list[str] = []
        while len(drawn) < _LENGTH:
            drawn += [_LETTERS[byte % 20] for byte in self.randomness(2 * _LENGTH) if byte < 240]
        return "".join(drawn[:_LENGTH])
