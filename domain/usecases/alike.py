"""Steps on the credentials of one scope, each inside a unit of work of its caller."""

from dataclasses import replace
from uuid import UUID

from domain.errors import NotFound
from domain.model.cap import CapSubject
from domain.model.credential import Credential
from domain.model.ids import CredentialId
from domain.model.selection import KeySource
from domain.ports import Work


async def among_alike(work: Work, credential_id: CredentialId) -> tuple[Credential, list[Credential]]:
    """A credential and the others of its scope, none of which changes until `work` ends. NotFound when unknown."""
    found = await work.credentials.one(credential_id)
    alike = {c.id: c for c in await work.credentials.alike(found.provider, found.scope)}
    if credential_id not in alike:
        raise NotFound("credential")
    return alike.pop(credential_id), list(alike.values())


async def activity(work: Work, new: Credential, asked: bool | None) -> bool:
    """As asked; else a new credential is active when nothing of its scope is."""
    if asked is not None:
        return asked
    return not any(c.active for c in await work.credentials.alike(new.provider, new.scope))


async def activated(work: Work, credential: Credential) -> Credential:
    if credential.active:
        return credential
    active = replace(credential, active=True)
    await work.credentials.put(active, version=active.version)
    return active


async def prefer_own_if_first(work: Work, provider: str) -> None:
    """To be called before a credential is added: the first key that someone brings is meant to be used."""
    if not await work.credentials.page(first=1, provider=provider):
        await work.choices.put_preferred(provider, KeySource.OWN)


async def uncapped(work: Work, subject_id: UUID, subject: CapSubject = CapSubject.CREDENTIAL) -> None:
    """Remove what caps a credential, or an application, that is removed."""
    for cap in await work.caps.all():
        if (cap.subject, cap.subject_id) == (subject, subject_id):
            await work.caps.remove(cap.id)
