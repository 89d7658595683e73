"""Which calls a question about usage is about."""

from datetime import datetime
from typing import Annotated

import strawberry

from api.graphql.connections import LARGEST
from api.graphql.context import Context
from api.graphql.ids import known_client, known_uuid
from api.graphql.model_names import TypedModelInput
from domain.errors import InvalidRange
from domain.model.ids import ClientId, CredentialId
from domain.model.quota import Outcome
from domain.model.selection import KeySource
from domain.model.usage import Job
from domain.model.usage_totals import Span, UsageFilter

From = Annotated[
    datetime | None,
    strawberry.argument(name="from", description="The earliest moment to look at; 30 days before `to` unless said."),
]
To = Annotated[
    datetime | None,
    strawberry.argument(description="The moment to look up to, itself not included, at most 400 days on; else now."),
]


@strawberry.input(description="Which calls to look at: those that fit everything given. Lists take up to 100 entries.")
class UsageFilterInput:
    models: list[TypedModelInput] = strawberry.field(default_factory=list, description="Any of these models.")
    providers: list[str] = strawberry.field(default_factory=list, description="Models of any of these providers.")
    client_id: str | None = strawberry.field(default=None, description="Made by the application of this client id.")
    paid_by: KeySource | None = strawberry.field(default=None, description="Paid by a key of this owner's.")
    credential_id: strawberry.ID | None = strawberry.field(default=None, description="Paid by this credential.")
    jobs: list[Job] = strawberry.field(default_factory=list, description="Made for any of these purposes.")
    outcomes: list[Outcome] = strawberry.field(default_factory=list, description="Ended in any of these ways.")

    def within(self, span: Span) -> UsageFilter:
        """InvalidRange for what can be no client id, NotFound for what can be no credential."""
        for name, listed in (("models", self.models), ("providers", self.providers)):
            if len(listed) > LARGEST:
                raise InvalidRange(f"filter.{name}", f"must have at most {LARGEST} entries")
        return UsageFilter(
            span,
            models=frozenset(model.ref(model.type) for model in self.models),
            providers=frozenset(self.providers),
            client_id=self._client(),
            paid_by=self.paid_by,
            credential_id=self._credential(),
            jobs=frozenset(self.jobs),
            outcomes=frozenset(self.outcomes),
        )

    def _client(self) -> ClientId | None:
        return None if self.client_id is None else known_client(self.client_id, "filter.clientId")

    def _credential(self) -> CredentialId | None:
        return None if self.credential_id is None else CredentialId(known_uuid(self.credential_id, "Credential"))


OfUsage = Annotated[
    UsageFilterInput | None, strawberry.argument(name="filter", description="Which calls; all of that time without it.")
]


def asked(context: Context, since: datetime | None, to: datetime | None, which: UsageFilterInput | None) -> UsageFilter:
    """The filter that the arguments of a question amount to."""
    return (which or UsageFilterInput()).within(context.usecases.usage.span(since, to))
