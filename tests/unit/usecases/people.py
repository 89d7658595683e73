"""People's use cases over the fakes: one tenant, and passwords that cost nothing."""

from dataclasses import dataclass, field
from datetime import timedelta
from secrets import token_bytes

from domain.model.access import Role
from domain.model.ids import InvitationId, PersonId, TenantId
from domain.model.people import Invitation, Person
from domain.model.tenant import Tenant
from domain.model.tokens import Kind, digest, mint
from domain.usecases.accounts import Accounts, SignedIn, Visitor
from domain.usecases.joining import Joining
from domain.usecases.own_consents import OwnConsents
from domain.usecases.recognition import Recognition
from domain.usecases.resets import PasswordResets
from tests.fakes import CountedIds, FakeClock, FakeStore
from tests.unit.domain.samples import TENANT

SESSION = timedelta(hours=12)
PASSWORD = "a long enough password"
EMAIL = "ada@portunus.example"


@dataclass(frozen=True, slots=True)
class PlainPasswords:
    """Hashes that can be read; `version` is what a hash begins with that is not outdated."""

    version: str = "2"

    async def hashed(self, password: str) -> str:
        return f"{self.version}:{password}"

    async def fits(self, password: str, hashed: str | None) -> bool:
        return hashed is not None and hashed.partition(":")[2] == password

    def outdated(self, hashed: str) -> bool:
        return not hashed.startswith(self.version)


def accounts(store: FakeStore | None = None, clock: FakeClock | None = None) -> Accounts:
    return Accounts((store or FakeStore()).directory, PlainPasswords(), clock or FakeClock(), token_bytes, SESSION)


@dataclass
class Town:
    """A tenant, and whoever comes to live there."""

    clock: FakeClock = field(default_factory=FakeClock)
    store: FakeStore = field(default_factory=FakeStore)

    def __post_init__(self) -> None:
        self.fresh = CountedIds()
        self.accounts = accounts(self.store, self.clock)
        self.joining = Joining(self.store.begin, self.accounts, self.fresh)
        self.recognition = Recognition(self.accounts)
        self.resets = PasswordResets(self.accounts)
        self.consents = OwnConsents(self.store.begin)
        self.store.rows[TENANT].tenants.append(Tenant(TENANT, "Acme", self.clock()))

    async def settle(self, email: str = EMAIL, password: str | None = PASSWORD) -> Person:
        person = Person(PersonId(self.fresh()), email, "Ada", self.clock())
        async with self.store.directory() as book:
            await book.people.add(person)
            if password is not None:
                await book.passwords.put(person.id, f"2:{password}")
        return person

    async def invite(self, email: str = EMAIL, role: Role = Role.MEMBER, tenant_id: TenantId = TENANT) -> str:
        """The token of the invitation's link, good for a week."""
        token = mint(Kind.INVITATION, tenant_id, token_bytes(32))
        now, invitation_id = self.clock(), InvitationId(self.fresh())
        async with self.store.begin(tenant_id) as work:
            await work.invitations.add(
                Invitation(tenant_id, invitation_id, email, role, digest(token), now, now + timedelta(days=7))
            )
        return token

    async def signed_in(self, email: str = EMAIL, password: str = PASSWORD) -> SignedIn:
        return await self.who((await self.accounts.sign_in(email, password, Visitor("Firefox"))).reveal())

    async def who(self, cookie: str) -> SignedIn:
        me = await self.accounts.signed_in(cookie)
        assert me is not None
        return me
