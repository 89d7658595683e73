"""What any application needs to talk to Portunus: one token, one endpoint, plain HTTP."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2


class Application:
    """A service client of one tenant."""

    def __init__(self, url: str, client_id: str, client_secret: str) -> None:
        self._http = httpx2.Client(base_url=url, trust_env=False, timeout=60)
        answer = self._http.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, auth=(client_id, client_secret)
        )
        answer.raise_for_status()
        self.token: dict[str, Any] = answer.json()
        self._http.headers["Authorization"] = f"Bearer {self.token['access_token']}"

    def ask(self, document: str, **variables: Any) -> Any:
        """The `data` of a GraphQL answer; RuntimeError with the messages when there are errors."""
        body = self._http.post("/graphql", json={"query": document, "variables": variables}).json()
        if body.get("errors"):
            raise RuntimeError("; ".join(error["message"] for error in body["errors"]))
        return body["data"]

    def subscribe(self, document: str, **variables: Any) -> Iterator[Any]:
        """The `data` of each event of a subscription, over Server-Sent Events."""
        body = {"query": document, "variables": variables}
        with self._http.stream("POST", "/graphql", json=body, headers={"Accept": "text/event-stream"}) as answer:
            for line in answer.iter_lines():
                if line.startswith("data: {"):
                    yield json.loads(line.removeprefix("data: "))["data"]
