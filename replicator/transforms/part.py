"""What transforms of a key or a value share: which part they read and write.

Each such transform has two classes, as in Java (`...$Key`, `...$Value`). Task thread.
"""

from __future__ import annotations

from typing import Any, Final

from replicator.api.config import ConfigKey, Importance, key
from replicator.api.option_types import Type
from replicator.api.record import ConnectRecord
from replicator.api.schema import Schema
from replicator.api.transform import Transformation

PACKAGE: Final = "org.apache.kafka.connect.transforms."
NULL_SWITCH: Final = "replace.null.with.default"


class PartTransform(Transformation):
    """A transform of the key or the value."""

    def read(self, record: ConnectRecord) -> tuple[Schema | None, Any]:
        """Schema and value of the part."""
        raise NotImplementedError

    def write(self, record: ConnectRecord, schema: Schema | None, value: Any) -> ConnectRecord:
        """The record with another schema and value there."""
        raise NotImplementedError


class OnKey(PartTransform):
    """The part is the key."""

    def read(self, record: ConnectRecord) -> tuple[Schema | None, Any]:
        return record.key_schema, record.key

    def write(self, record: ConnectRecord, schema: Schema | None, value: Any) -> ConnectRecord:
        return record.evolve(key_schema=schema, key=value)


class OnValue(PartTransform):
    """The part is the value."""

    def read(self, record: ConnectRecord) -> tuple[Schema | None, Any]:
        return record.value_schema, record.value

    def write(self, record: ConnectRecord, schema: Schema | None, value: Any) -> ConnectRecord:
        return record.evolve(value_schema=schema, value=value)


def null_switch() -> ConfigKey:
    """The option that says whether a null counts as its field's default."""
    return key(
        NULL_SWITCH,
        Type.BOOLEAN,
        True,
        importance=Importance.MEDIUM,
        doc="Whether a null in a field that has a default value is taken for that default. "
        "Copies of tables want false: a null is then kept as null.",
    )
