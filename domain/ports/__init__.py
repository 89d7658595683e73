"""Every port of Portunus: what the use cases need from the outside, as Protocols."""

from domain.ports.balances import Balances, Ledger
from domain.ports.custody import Keyring, Remembers, StandingReader, Vault
from domain.ports.outside import Clock, Detach, Fresh, Randomness
from domain.ports.store import (
    Begin,
    Caps,
    Choices,
    Clients,
    Coolings,
    Credentials,
    Envelopes,
    Grants,
    Models,
    Pots,
    Records,
    RollCall,
    TenantKeys,
    Tenants,
    Tokens,
    Work,
)
from domain.ports.vendors import Gateway, ListedModel, Target

__all__ = [
    "Balances",
    "Begin",
    "Caps",
    "Choices",
    "Clients",
    "Clock",
    "Coolings",
    "Credentials",
    "Detach",
    "Envelopes",
    "Fresh",
    "Gateway",
    "Grants",
    "Keyring",
    "Ledger",
    "ListedModel",
    "Models",
    "Pots",
    "Randomness",
    "Records",
    "Remembers",
    "RollCall",
    "StandingReader",
    "Target",
    "TenantKeys",
    "Tenants",
    "Tokens",
    "Vault",
    "Work",
]
