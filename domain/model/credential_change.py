"""Changing a stored credential: what its form becomes, and which of its secrets may be kept for that."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from domain.errors import FieldProblem, InvalidForm
from domain.model.catalogue import FieldKind, FormField, FormValues, Provider
from domain.model.credential import Credential, checked_weight
from domain.model.secret import Secret
from domain.model.tenant import checked_name

GivenFields = Mapping[str, Secret | str | None]


@dataclass(frozen=True, slots=True)
class CredentialChange:
    """None leaves a thing as it is. Of the form only the given fields change, and one that is given as None is cleared.

    InvalidRange for a name or a weight that cannot be.
    """

    name: str | None = None
    weight: int | None = None
    active: bool | None = None
    fields: GivenFields = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name is not None:
            object.__setattr__(self, "name", checked_name(self.name))
        if self.weight is not None:
            checked_weight(self.weight)

    def beside_form(self, credential: Credential) -> Credential:
        """The credential with everything changed that its form has nothing to do with."""
        return replace(
            credential,
            name=credential.name if self.name is None else self.name,
            weight=credential.weight if self.weight is None else self.weight,
            active=credential.active if self.active is None else self.active,
        )

    def touches_form(self, credential: Credential) -> bool:
        """Whether any field becomes another: a secret that is given counts as another, whatever it is."""
        return any(_becomes_other(name, value, credential) for name, value in self.fields.items())

    def kept_secrets(self, credential: Credential) -> list[str]:
        """The names of the stored secrets that go on being used."""
        return [name for name in credential.masked if name not in self.fields]

    def form(self, provider: Provider, stored: FormValues) -> FormValues:
        """The stored form with the change in it, yet to be checked. What the change hides of it is dropped."""
        given = {name: value for name, value in self.fields.items() if value is not None}
        kept = {name: value for name, value in stored.items() if name not in self.fields}
        merged = {**kept, **given}
        fitting = set(given) | set(_shown(provider.form, merged))
        return {name: value for name, value in merged.items() if name in fitting}


def check_kept_secrets(
    change: CredentialChange, credential: Credential, provider: Provider, values: FormValues, endpoint: str
) -> None:
    """InvalidForm names each secret that must be entered again, since it was entered for another place or party.

    The place is the origin on which it was proved. The party is what a text field names, such as an organization or a
    project; options of a select are the vendor's own, and what only describes a model redirects nothing.
    """
    kept = [name for name in change.kept_secrets(credential) if name in values]
    reason = _other_place_or_party(credential, provider, values, endpoint)
    if kept and reason:
        raise InvalidForm(tuple(FieldProblem(name, f"must be entered again, since {reason}") for name in kept))


def _other_place_or_party(credential: Credential, provider: Provider, values: FormValues, endpoint: str) -> str | None:
    if endpoint != credential.endpoint:
        return "the address changes"
    naming = (f.name for f in provider.form if f.kind is FieldKind.TEXT and not f.for_types)
    changed = next((name for name in naming if values.get(name) != credential.public.get(name)), None)
    return f"{changed} changes" if changed else None


def _becomes_other(name: str, value: Secret | str | None, credential: Credential) -> bool:
    if name in credential.masked:
        return True
    return _text(value).strip() != credential.public.get(name, "")


def _shown(form: Iterable[FormField], values: FormValues) -> Iterable[str]:
    """The names of the form's fields that are there when it is filled in so."""
    found: dict[str, str] = {}
    for spec in form:
        if all(found.get(name) == needed for name, needed in spec.shown_when.items()):
            found[spec.name] = _text(values.get(spec.name)).strip() or spec.default or ""
    return found


def _text(value: Secret | str | None) -> str:
    return value.reveal() if isinstance(value, Secret) else value or ""
