"""The GraphQL front: one schema over the use cases, served over HTTP, server-sent events and WebSocket."""
