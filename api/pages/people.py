"""What the pages of accounts ask of the domain."""

from dataclasses import dataclass

from domain.errors import InvalidRange
from domain.ports import IdentityProvider
from domain.usecases.accounts import Accounts
from domain.usecases.joining import Joining
from domain.usecases.own_consents import OwnConsents
from domain.usecases.recognition import Recognition
from domain.usecases.resets import PasswordResets

_LABELS = {"name": "The name", "password": "The password", "new_password": "The new password"}


@dataclass(frozen=True, slots=True)
class People:
    """`provider` is the external OpenID provider, where there is one."""

    accounts: Accounts
    joining: Joining
    recognition: Recognition
    resets: PasswordResets
    consents: OwnConsents
    provider: IdentityProvider | None = None

    @property
    def provider_name(self) -> str | None:
        return self.provider.name if self.provider else None


def correction(wrong: InvalidRange) -> dict[str, str]:
    """What to tell beside the field of a form."""
    return {wrong.field: f"{_LABELS.get(wrong.field, wrong.field)} {wrong.reason}."}
