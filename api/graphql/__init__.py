"""The GraphQL front: one schema over the use cases, served over HTTP, server-sent events and WebSocket."""

from api.graphql import enums as enums  # registers the domain's enumerations before any type refers to one
