"""What an operator sets, from the environment: every name here is PORTUNUS_<NAME> there."""

import base64
import json
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Network = IPv4Network | IPv6Network


def _listed(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _read_json(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("must be JSON") from None


def _origin(value: str) -> str:
    """Without a slash at the end. OAuth's secrets travel to it, so only loopback may do without TLS."""
    url = urlsplit(value.rstrip("/"))
    if url.geturl() != f"{url.scheme}://{url.netloc}" or not url.hostname or "@" in url.netloc:
        raise ValueError("must be scheme://host or scheme://host:port")
    if url.scheme != "https" and not (url.scheme == "http" and _is_loopback(url.hostname)):
        raise ValueError("must be https, or http on a loopback address")
    return url.geturl()


def _provider(value: str) -> str:
    """As `_origin`, but with a path, as some providers have; kept as it is, since it must equal what they say."""
    url = urlsplit(value)
    _origin(f"{url.scheme}://{url.netloc}")
    if url.query or url.fragment:
        raise ValueError("must be an address without query and fragment")
    return value


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Settings(BaseSettings):
    """Values are never part of a validation error, since some of them are secrets."""

    model_config = SettingsConfigDict(env_prefix="PORTUNUS_", hide_input_in_errors=True, frozen=True)

    database_url: str = Field(default="sqlite:///portunus.db", repr=False)
    """postgresql://… with the app's role, or sqlite:///path for the embedded store, which has no row-level security."""
    migration_url: str | None = Field(default=None, repr=False)
    """The owner's URL, for `portunus migrate` alone; the database's own URL when unset."""
    master_key: SecretStr | None = None
    """32 random bytes in base64; several, separated by commas, while one replaces another: the first one wraps."""
    master_key_file: Path | None = None
    """A file that holds the same."""
    issuer: Annotated[str, AfterValidator(_origin)] = "http://127.0.0.1:8080"
    """The public address of this installation, as tokens and metadata name it."""
    token_seconds: int = Field(default=3_600, ge=60, le=86_400)
    session_seconds: int = Field(default=43_200, ge=300, le=2_592_000)
    """How long a person stays signed in."""
    oidc_issuer: Annotated[str, AfterValidator(_provider)] | None = None
    """The issuer of an external OpenID provider by which people may sign in."""
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_name: str = Field(default="your organisation", min_length=1, max_length=60)
    """What people call that provider."""
    refresh_days: int = Field(default=30, ge=1, le=365)
    """How long an application may go on without asking the person again."""
    call_seconds: int = Field(default=600, ge=1, le=3_600)
    """The longest that a call to a vendor may take."""
    hold_seconds: int = Field(default=900, ge=2)
    """When the hold of a call whose worker died is charged; longer than any call may take."""
    sweep_seconds: float = Field(default=30, gt=0)
    """How often expired holds are looked for."""
    prune_seconds: float = Field(default=600, gt=0)
    """How often, more or less, what expired long ago is looked for and removed."""
    drain_seconds: float = Field(default=30, ge=0)
    """How long a stop waits for running calls."""
    allowed_networks: Annotated[list[Network], NoDecode, BeforeValidator(_listed)] = []
    """Networks beside the public ones that tenants' addresses may lie in: for self-hosted model servers."""
    max_body_bytes: int = Field(default=8 * 2**20, ge=2**16)
    max_upload_bytes: int = Field(default=32 * 2**20, ge=2**16)
    """The largest request that carries a file, such as audio to write down."""
    uploads: int = Field(default=16, ge=1)
    """Requests with files that a process works on at once; their files are held in memory."""
    client_cost: int = Field(default=20_000, ge=1)
    """GraphQL cost points that a client may spend at once in a process."""
    client_cost_per_second: int = Field(default=1_000, ge=1)
    tenant_cost: int = Field(default=50_000, ge=1)
    tenant_cost_per_second: int = Field(default=2_500, ge=1)
    client_requests_per_second: int = Field(default=200, ge=1)
    """Of one client in a process; five seconds' worth may come at once."""
    tenant_requests_per_second: int = Field(default=500, ge=1)
    address_requests_per_second: int = Field(default=50, ge=1)
    """Of one network address, to the endpoints of OAuth."""
    client_concurrency: int = Field(default=128, ge=1)
    """Requests of one client that a process has under way: waiting ones, and those it hung up on while they run."""
    tenant_concurrency: int = Field(default=256, ge=1)
    """The same of one tenant; the process holds four times as many connections to vendors."""
    concurrency: int = Field(default=32, ge=1)
    """Requests that a process works on at once, those that wait for a vendor not counted."""
    waiting: int = Field(default=1_024, ge=0)
    """Requests that may wait for their turn."""
    waiting_seconds: float = Field(default=10, gt=0)
    """How long one may wait for its turn."""
    ide: bool = False
    """Serve GraphiQL to browsers."""
    introspection: bool = True
    platform_keys: Annotated[dict[str, dict[str, SecretStr]], NoDecode, BeforeValidator(_read_json)] = {}
    """The platform's own credential form per provider, in JSON; a provider without one has no trial."""
    trials_file: Path | None = None
    """The trials to offer, in place of the catalogue's own: TOML of the same form."""
    trial_calls: int | None = Field(default=None, ge=0)
    """Calls of each trial of new tenants that counts calls, in place of the file's number."""
    log_level: str = "INFO"

    @model_validator(mode="after")
    def _holds_outlive_calls(self) -> Self:
        if self.hold_seconds <= self.call_seconds:
            raise ValueError("PORTUNUS_HOLD_SECONDS must be longer than PORTUNUS_CALL_SECONDS")
        return self

    @model_validator(mode="after")
    def _provider_knows_us(self) -> Self:
        if (self.oidc_issuer is None) != (self.oidc_client_id is None):
            raise ValueError("PORTUNUS_OIDC_ISSUER and PORTUNUS_OIDC_CLIENT_ID must be given together")
        return self

    @property
    def owner_url(self) -> str:
        return self.migration_url or self.database_url

    @property
    def token_lifetime(self) -> timedelta:
        return timedelta(seconds=self.token_seconds)

    @property
    def session_lifetime(self) -> timedelta:
        return timedelta(seconds=self.session_seconds)

    @property
    def refresh_lifetime(self) -> timedelta:
        return timedelta(days=self.refresh_days)

    def master_keys(self) -> list[bytes]:
        """The keys, first the one that wraps; ValueError, without a value, when there is none or one is malformed."""
        text = self.master_key.get_secret_value() if self.master_key else ""
        if self.master_key_file:
            text = self.master_key_file.read_text()
        parts = [part.strip() for part in text.split(",") if part.strip()]
        try:
            keys = [base64.b64decode(part, validate=True) for part in parts]
        except ValueError:
            keys = []
        if not keys or any(len(key) != 32 for key in keys):
            raise ValueError(
                "PORTUNUS_MASTER_KEY (or the file of PORTUNUS_MASTER_KEY_FILE) must hold 32 random bytes in base64; "
                "make one with: python3 -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())'"
            )
        return keys
