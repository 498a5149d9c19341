"""What transforms and converters compile per schema, kept and found again by identity. Task thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, TypeVar

from replicator.api.schema import Schema

Plan = TypeVar("Plan")

SIZE: Final = 64
"""Schemas remembered; more at once than any task sees between two changes of its tables."""


class PlanCache(Generic[Plan]):
    """`make` called once per schema; equal schemas share one plan, so that what it built stays one object."""

    __slots__ = ("_by_id", "_by_value", "_last", "_last_plan", "_make")

    def __init__(self, make: Callable[[Schema], Plan]) -> None:
        self._make = make
        self._last: Schema | None = None
        self._last_plan: Plan
        # The schema is kept beside its plan: an id may be used again once its object is gone.
        self._by_id: dict[int, tuple[Schema, Plan]] = {}
        self._by_value: dict[Schema, Plan] = {}

    def __call__(self, schema: Schema) -> Plan:
        """The plan for a schema."""
        if schema is self._last:
            return self._last_plan
        found = self._by_id.get(id(schema))
        plan = self._of_equal(schema) if found is None else found[1]
        self._last, self._last_plan = schema, plan
        return plan

    def _of_equal(self, schema: Schema) -> Plan:
        plan = self._by_value.get(schema)
        if plan is None:
            plan = self._make(schema)
            if len(self._by_value) >= SIZE:
                self._by_value.clear()
            self._by_value[schema] = plan
        if len(self._by_id) >= SIZE:
            self._by_id.clear()
        self._by_id[id(schema)] = (schema, plan)
        return plan
