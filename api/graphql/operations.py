"""From the text of an operation to its answer, or to the stream of its answers."""

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

import graphql
import strawberry
from graphql import GraphQLError, create_source_event_stream, execute_subscription_event
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType
from typing_extensions import override

from api.graphql.charges import Charge
from api.graphql.documents import Library, name_of
from api.graphql.errors import Refused, present
from api.graphql.execution import Executor
from api.graphql.inputs import compile_inputs
from api.graphql.languages import prefer
from api.graphql.tally import Branch
from api.graphql.texts import unkept_variables
from api.traffic.turns import step_aside
from domain.model.labels import Language

Answers = AsyncGenerator[ExecutionResult, None]


@dataclass(frozen=True, slots=True)
class Begun:
    """An operation that may run and what it costs, or what is wrong with it; `extensions` then go into its answer."""

    executor: Executor | None = None
    charge: Charge | None = None
    errors: Sequence[GraphQLError] = ()
    extensions: dict[str, Any] | None = None

    @property
    def subscribes(self) -> bool:
        return self.executor is not None and self.executor.operation.operation is graphql.OperationType.SUBSCRIPTION


class Schema(strawberry.Schema):
    """strawberry's schema with a shorter way through an operation: its documents come prepared from the library, there
    are no extension hooks to call, and no error repeats what was sent.
    """

    def __init__(self, *, introspection: bool, **parts: Any) -> None:
        super().__init__(execution_context_class=Executor, **parts)
        compile_inputs(self.schema_converter)
        self.library = Library(self._schema, introspection=introspection)

    @override
    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        """The answer. InvalidOperationTypeError when the operation is of a kind that is not allowed."""
        common = {
            "context_value": context_value,
            "root_value": root_value,
            "operation_extensions": operation_extensions,
        }
        begun = self._begin(query, variable_values, operation_name, allowed_operation_types, common)
        return await _answer(begun)

    @override
    async def stream(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        operation_extensions: dict[str, Any] | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
    ) -> Answers:
        """The answers of a subscription, the one answer of another operation, or what is wrong with it."""
        common = {
            "context_value": context_value,
            "root_value": root_value,
            "operation_extensions": operation_extensions,
        }
        try:
            begun = self._begin(query, variable_values, operation_name, allowed_operation_types, common)
        except InvalidOperationTypeError as refusal:
            begun = Begun(errors=[GraphQLError("", original_error=refusal)])
        return _events(begun) if begun.subscribes else _single(begun)

    def _begin(
        self,
        query: str | None,
        variables: dict[str, Any] | None,
        name: str | None,
        allowed: Iterable[OperationType] | None,
        common: dict[str, Any],
    ) -> Begun:
        prefer(getattr(common["context_value"], "language", Language.EN))
        try:
            prepared = self.library.prepare(query or "")
        except Exception as fault:
            return Begun(errors=[_as_error(fault)])
        operation = prepared.operation(name)
        if operation is None:
            return Begun(errors=[Refused("BAD_USER_INPUT", "The document has no operation of this name.")])
        kind = OperationType(operation.operation.value)
        if allowed is not None and kind not in allowed:
            raise InvalidOperationTypeError(kind)
        size = self.library.size(prepared, variables or {})
        extensions = None if kind is OperationType.SUBSCRIPTION else {"cost": {"requested": size.cost}}
        actor = getattr(common["context_value"], "caller", None)
        refusals = (
            self.library.refusals(prepared, size, name)
            or prepared.lacks(operation, actor, variables or {})
            or unkept_variables(self._schema, operation, variables or {})
        )
        if refusals:
            return Begun(errors=refusals, extensions=extensions)
        executor = Executor.build(
            self._schema,
            prepared.document,
            raw_variable_values=variables,
            operation_name=name,
            **common,
        )
        if isinstance(executor, list):
            return Begun(errors=executor, extensions=extensions)
        charge = _charge(size.cost, prepared.branches.get(name_of(operation), ()), common["context_value"])
        refusal = charge.taken()
        if refusal is not None:
            return Begun(errors=[refusal], extensions=charge.extensions())
        return Begun(cast(Executor, executor), charge)


def _charge(cost: int, branches: Sequence[Branch], context: Any) -> Charge:
    """Anybody but a known caller at the gate is not charged: nobody else gets as far as this."""
    gate, caller = getattr(context, "gate", None), getattr(context, "caller", None)
    return Charge(cost, branches, gate.cost if gate else None, caller)


def _common(context: Any, root: Any, extensions: dict[str, Any] | None) -> dict[str, Any]:
    """What the executor takes as it is."""
    return {
        "context_value": context,
        "root_value": root,
        "operation_extensions": extensions,
        "is_awaitable": optimized_is_awaitable,
    }


async def _answer(begun: Begun) -> ExecutionResult:
    if begun.executor is None:
        return PreExecutionError(None, present(begun.errors), begun.extensions)
    try:
        result: Any = begun.executor.execute_operation()
        if begun.executor.is_awaitable(result):
            result = await result
    except Exception as failure:
        return PreExecutionError(None, present([_as_error(failure)]), begun.extensions)
    return _presented(result, begun.charge.settled(result) if begun.charge else None)


async def _single(begun: Begun) -> Answers:
    yield await _answer(begun)


async def _events(begun: Begun) -> Answers:
    executor = cast(Executor, begun.executor)
    source: Any = create_source_event_stream(executor)
    if executor.is_awaitable(source):
        source = await source
    if isinstance(source, graphql.ExecutionResult):
        yield PreExecutionError(None, present(source.errors or ()))
        return
    step_aside()
    try:
        async with aclosing(source):
            async for answer in _mapped(executor, source):
                yield answer
    except Exception as failure:
        yield ExecutionResult(None, present([_as_error(failure)]))


async def _mapped(executor: Executor, source: AsyncIterable[Any]) -> Answers:
    """The answer to each event: read from it where all that is asked for is plain, else executed for it."""
    read: Callable[[Any], Any] = executor.projection() or _never
    async for event in source:
        try:
            data = read(event)
        except Exception:
            result: Any = execute_subscription_event(executor.build_per_event_executor(event))
            yield _presented(await result if executor.is_awaitable(result) else result)
        else:
            yield ExecutionResult(data, None)


def _never(_event: Any) -> Any:
    raise LookupError


def _presented(result: graphql.ExecutionResult, extensions: dict[str, Any] | None = None) -> ExecutionResult:
    return ExecutionResult(result.data, present(result.errors) if result.errors else None, extensions)


def _as_error(failure: Exception) -> GraphQLError:
    return failure if isinstance(failure, GraphQLError) else GraphQLError("", original_error=failure)
