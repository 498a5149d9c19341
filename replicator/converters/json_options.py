"""Options of JsonConverter, as Java's are declared and shown. Pure."""

from __future__ import annotations

from typing import Any, Final

from replicator.api.config import ConfigDef, ConfigKey, Importance, Width, key
from replicator.api.option_types import Type
from replicator.api.validators import at_least, one_of


def _serialization(name: str, type_: Type, default: Any, **attributes: Any) -> ConfigKey:
    return key(
        name,
        type_,
        default,
        importance=Importance.LOW,
        group="Serialization",
        width=Width.MEDIUM,
        **attributes,
    )


def _schemas(name: str, type_: Type, default: Any, **attributes: Any) -> ConfigKey:
    return key(
        name, type_, default, importance=Importance.HIGH, group="Schemas", width=Width.MEDIUM, **attributes
    )


OPTIONS: Final = ConfigDef(
    _serialization(
        "decimal.format",
        Type.STRING,
        "BASE64",
        validator=one_of("NUMERIC", "BASE64", ignore_case=True),
        order=0,
        display_name="Decimal Format",
        doc="How Decimal values are written: BASE64 or NUMERIC, case insensitive. Both are read.",
    ),
    _serialization(
        "replace.null.with.default",
        Type.BOOLEAN,
        True,
        order=1,
        display_name="Replace null with default",
        doc="Whether a null in a field that has a default value is replaced by the default.",
    ),
    _schemas(
        "schemas.enable",
        Type.BOOLEAN,
        True,
        order=0,
        display_name="Enable Schemas",
        doc="Include schemas within each of the serialized values and keys.",
    ),
    _schemas(
        "schemas.cache.size",
        Type.INT,
        1000,
        validator=at_least(1),
        order=1,
        display_name="Schema Cache Size",
        doc="The maximum number of schemas that can be cached in this converter instance.",
    ),
    _schemas(
        "schema.content",
        Type.STRING,
        None,
        order=2,
        display_name="Schema Content",
        doc="With schemas.enable: the schema of all messages that are read, which are then plain payloads.",
    ),
)
