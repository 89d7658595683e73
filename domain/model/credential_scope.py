"""What a credential reaches at its provider, everything or one hosted model, and who succeeds it there."""

from collections.abc import Sequence

from domain.errors import InvalidRange
from domain.model.catalogue import ModelRef, Provider, ProviderKind
from domain.model.credential import Credential
from domain.model.custom_model import CustomModel
from domain.model.ids import CredentialId

MODEL_NAME_LIMIT = 200


def check_model(provider: Provider, model: ModelRef | None) -> None:
    """InvalidRange unless a model is named where, and only where, each has a credential of its own."""
    if provider.kind is ProviderKind.PROPRIETARY:
        if model is not None:
            raise InvalidRange("model", "must be left out: one key of this provider reaches all its models")
        return
    if model is None or not model.name.strip():
        raise InvalidRange("model", "must be named: each model of this provider has a credential of its own")
    if len(model.name) > MODEL_NAME_LIMIT:
        raise InvalidRange("model", f"must have a name of at most {MODEL_NAME_LIMIT} characters")
    if not model.name.isprintable():
        raise InvalidRange("model", "must have a name without control characters")
    if model.type not in provider.types:
        raise InvalidRange("model", "must be of a type that this provider serves")


def hosted_model(credential: Credential, ref: ModelRef, provider: Provider) -> CustomModel:
    """The model that a hosted vendor's credential reaches, to be known to its tenant when the credential is gone."""
    row = provider.hosted(ref, credential.public)
    return CustomModel(
        tenant_id=credential.tenant_id,
        ref=ref,
        label=ref.name,
        created_at=credential.created_at,
        features=row.features,
        context=row.context,
        max_output=row.max_output,
    )


def heir_of(gone: Credential, others: Sequence[Credential], named: CredentialId | None) -> Credential | None:
    """Which of the others of its scope takes the place of `gone`, if it was active and one is named or needed.

    Not named, it is the one proved most recently. InvalidRange when the named one is not among them.
    """
    heir = next((c for c in others if c.id == named), None)
    if named is not None and heir is None:
        raise InvalidRange("successor", "must be another credential of the same provider, for the same model")
    if not gone.active or heir is not None:
        return heir if gone.active else None
    if any(c.active for c in others):
        return None
    return max(others, key=lambda c: (c.proved_at, c.id), default=None)
