"""Tenants' rows on PostgreSQL or SQLite, always through a unit of work that is bound to one tenant."""
