"""Whatever is changed of a credential, in whatever order: a kept secret goes only where it was proved."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import CredentialRejected, InvalidForm, UpstreamError
from domain.model.credential import Credential
from domain.model.credential_change import CredentialChange, GivenFields
from domain.model.secret import Secret
from domain.usecases.credentials import NewCredential
from tests.unit.usecases.house import House

ADDRESSES = (
    "https://acme.example",
    "https://acme.example/v1",
    "https://ACME.example:443/v2",
    "http://acme.example:443",
    "https://acme.example:8443",
    "https://acme.example.evil.example",
    "https://evil.example/acme.example",
)


@dataclass(frozen=True, slots=True)
class Step:
    """What an admin does; `address` None keeps the stored one, an empty one clears it. `secret` None keeps it too."""

    deed: str
    address: str | None
    secret: str | None
    accepted: bool


STEPS = st.builds(
    Step,
    deed=st.sampled_from(("update", "check", "prove", "rename")),
    address=st.sampled_from((None, "", *ADDRESSES)),
    secret=st.sampled_from((None, None, None, "sk-first", "sk-second")),
    accepted=st.booleans(),
)


@dataclass
class Watch:
    """Follows where every secret goes: `proved` keeps on which origins each was accepted."""

    house: House = field(default_factory=House)
    proved: set[tuple[str, str]] = field(default_factory=set)

    async def run(self, steps: list[Step]) -> None:
        house = self.house
        new = NewCredential("acme", "main", {"key": "sk-first", "base": ADDRESSES[0]})
        credential = await house.credentials.add(house.actor(), new)
        self.look(entered="sk-first", accepted=True)
        for step in steps:
            house.gateway.script.clear()
            if not step.accepted:
                house.gateway.script.append(CredentialRejected("acme", 401))
            with suppress(InvalidForm, UpstreamError):
                await self.do(credential, step)
            self.look(step.secret, step.accepted)

    async def do(self, credential: Credential, step: Step) -> None:
        updates, actor = self.house.updates, self.house.actor()
        match step.deed:
            case "update":
                await updates.update(actor, credential.id, CredentialChange(fields=self.fields(step)))
            case "check":
                await updates.check(actor, credential.id, self.fields(step))
            case "prove":
                await updates.prove(actor, credential.id)
            case _:
                await updates.update(actor, credential.id, CredentialChange(f"named {self.house.fresh()}"))

    def fields(self, step: Step) -> GivenFields:
        fields: dict[str, Secret | str | None] = {}
        if step.address is not None:
            fields["base"] = step.address or None
        if step.secret is not None:
            fields["key"] = Secret(step.secret)
        return fields

    def look(self, entered: str | None, accepted: bool) -> None:
        """At what was sent since the last look."""
        sent, self.house.gateway.asked = self.house.gateway.asked, []
        for form in sent:
            assert isinstance(form, dict)
            pair = form["key"].reveal(), self.house.gateway.endpoint("acme", form)
            assert entered == pair[0] or pair in self.proved
            if accepted:
                self.proved.add(pair)


@settings(deadline=None)
@given(st.lists(STEPS, max_size=12))
def test_a_kept_secret_never_reaches_an_origin_that_it_was_not_proved_on(steps: list[Step]) -> None:
    asyncio.run(Watch().run(steps))
