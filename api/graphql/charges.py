"""What an operation costs its caller: taken in full before it runs, and what it did not need is given back after."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphql import ExecutionResult

from api.graphql.errors import Refused
from api.graphql.tally import Branch
from api.traffic.refusals import CODE, whole
from api.traffic.shares import Shares
from domain.model.access import Actor


@dataclass(frozen=True, slots=True)
class Charge:
    """The cost of one operation; without a `budget` it is only told."""

    requested: int
    branches: Sequence[Branch]
    budget: Shares | None = None
    actor: Actor | None = None

    def taken(self) -> Refused | None:
        """Why the budget does not give what is requested; None when it was taken."""
        if self.budget is None or self.actor is None:
            return None
        wait = self.budget.take(self.actor, self.requested)
        if wait == math.inf:
            most = self.budget.throttle(self.actor).maximum
            said = f"The operation costs {self.requested} and the budget never holds more than {most:g}"
            return Refused("QUERY_TOO_COMPLEX", f"{said}; ask for less at a time.")
        if wait:
            said = f"The operation costs {self.requested}, more than is left; wait, or ask for less."
            return Refused(CODE, said, retryAfter=whole(wait))
        return None

    def settled(self, result: ExecutionResult) -> dict[str, Any]:
        """The extensions of its answer. One with errors may have cost more than it shows, so nothing is given back."""
        actual = self.requested
        if result.data is not None and not result.errors:
            actual = min(actual, len(result.data) + sum(branch.cost(result.data) for branch in self.branches))
        if self.budget is not None and self.actor is not None and actual < self.requested:
            self.budget.give_back(self.actor, self.requested - actual)
        return self.extensions(actual=actual)

    def extensions(self, **more: int) -> dict[str, Any]:
        cost: dict[str, Any] = {"requested": self.requested, **more}
        if self.budget is not None and self.actor is not None:
            throttle = self.budget.throttle(self.actor)
            cost["throttle"] = {
                "maximumAvailable": int(throttle.maximum),
                "currentlyAvailable": max(0, int(throttle.left)),
                "restoreRate": int(throttle.restored),
            }
        return {"cost": cost}
