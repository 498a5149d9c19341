"""Byte formats of Kafka Connect's internal topics. Pure functions.

Values are compact JSON with the keys in Connect's order, so that a Java worker reads what we write and the other way
round (D4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from replicator.api.errors import DataError

_PRIMITIVE = (str, int, float, bool, type(None))


def dumps(value: Any) -> bytes:
    """Compact JSON."""
    return orjson.dumps(value)


def loads_object(data: bytes | None) -> dict[str, Any] | None:
    """A JSON object, or None when the data is something else."""
    if data is None:
        return None
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def encode_offset_key(connector: str, partition: Mapping[str, Any]) -> bytes:
    """Key of an offset record, `["connector",{partition}]`.

    A Java worker finds an offset by these bytes: names are in the order in which its connectors' maps have them.
    """
    _check_offset_map(partition, "partition")
    return dumps([connector, {name: partition[name] for name in sorted(partition, key=_slot)}])


def _slot(name: str) -> tuple[int, str]:
    """Where a `HashMap` of a few entries has a name."""
    code = 0
    for unit in memoryview(name.encode("utf-16-le", "surrogatepass")).cast("H"):
        code = (31 * code + unit) & 0xFFFFFFFF
    return (code ^ (code >> 16)) & 15, name


def decode_offset_key(data: bytes | None) -> tuple[str, dict[str, Any] | None] | None:
    """(connector, partition) of an offset record, or None when the key is something else."""
    if data is None:
        return None
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, list) or len(value) != 2:
        return None
    connector, partition = value
    if not isinstance(connector, str) or not isinstance(partition, dict | None):
        return None
    return connector, partition


def encode_offset(offset: Mapping[str, Any] | None) -> bytes | None:
    """Value of an offset record; the order of the map's keys is kept."""
    if offset is None:
        return None
    _check_offset_map(offset, "offset")
    return dumps(dict(offset))


def partition_identity(partition: Mapping[str, Any] | None) -> bytes:
    """Equal for partitions of equal meaning, whatever the order of their keys."""
    return orjson.dumps(partition, option=orjson.OPT_SORT_KEYS)


def _check_offset_map(value: Mapping[str, Any], what: str) -> None:
    for name, item in value.items():
        if not isinstance(name, str):
            raise DataError(f"A source {what} may have string keys only, not {name!r}.")
        if not isinstance(item, _PRIMITIVE):
            raise DataError(
                f"A source {what} may hold primitive values only: {name} is {type(item).__name__}."
            )
