"""TypeOptions: how values of each kind are represented, as the user chose.

Immutable; made once per task from the parsed configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from connectors.cdc.selection import Patterns
from replicator.api import ConfigError
from replicator.api.logical import UNAVAILABLE_VALUE

DecimalMode = Literal["precise", "double", "string"]
TimeMode = Literal[
    "adaptive", "adaptive_time_microseconds", "connect", "isostring", "microseconds", "nanoseconds"
]
IntervalMode = Literal["numeric", "string"]
BinaryMode = Literal["bytes", "base64", "base64-url-safe", "hex"]
HstoreMode = Literal["json", "map"]
ArrayMode = Literal["array", "json"]
GeometryMode = Literal["struct", "text"]
DefaultsMode = Literal["required", "all"]
VarbitMode = Literal["bits", "text"]


@dataclass(frozen=True, slots=True)
class TypeOptions:
    """The handling modes; the defaults are Debezium's.

    Attributes:
        decimals: `decimal.handling.mode`.
        times: `time.precision.mode`; with isostring a timetz keeps its own offset.
        intervals: `interval.handling.mode`.
        binary: `binary.handling.mode`.
        hstore: `hstore.handling.mode`.
        arrays: `array.handling.mode`, an option of our own.
        geometry: `geometry.handling.mode`, an option of our own.
        varbits: `varbit.handling.mode`, an option of our own: Debezium's bytes do not tell 0 from 00.
        include_unknown: `include.unknown.datatypes`; such values come as text.
        defaults: `column.defaults`, an option of our own.
        money_digits: `money.fraction.digits`.
        placeholder: `unavailable.value.placeholder` (without its `hex:` form).
        propagate_columns: `column.propagate.source.type`.
        propagate_types: `datatype.propagate.source.type`.
    """

    decimals: DecimalMode = "precise"
    times: TimeMode = "adaptive"
    intervals: IntervalMode = "numeric"
    binary: BinaryMode = "bytes"
    hstore: HstoreMode = "json"
    arrays: ArrayMode = "array"
    geometry: GeometryMode = "struct"
    varbits: VarbitMode = "bits"
    include_unknown: bool = False
    defaults: DefaultsMode = "required"
    money_digits: int = 2
    placeholder: str = UNAVAILABLE_VALUE
    propagate_columns: Patterns | None = None
    propagate_types: Patterns | None = None

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> TypeOptions:
        """The options of a parsed configuration; absent ones have their defaults.

        Raises:
            ConfigError: an option is wrong.
        """
        return cls(
            decimals=cast(DecimalMode, config.get("decimal.handling.mode", "precise")),
            times=cast(TimeMode, config.get("time.precision.mode", "adaptive")),
            intervals=cast(IntervalMode, config.get("interval.handling.mode", "numeric")),
            binary=cast(BinaryMode, config.get("binary.handling.mode", "bytes")),
            hstore=cast(HstoreMode, config.get("hstore.handling.mode", "json")),
            arrays=cast(ArrayMode, config.get("array.handling.mode", "array")),
            geometry=cast(GeometryMode, config.get("geometry.handling.mode", "struct")),
            varbits=cast(VarbitMode, config.get("varbit.handling.mode", "bits")),
            include_unknown=str(config.get("include.unknown.datatypes", False)).lower() == "true",
            defaults=cast(DefaultsMode, config.get("column.defaults", "required")),
            money_digits=int(config.get("money.fraction.digits", 2)),
            placeholder=_placeholder(config.get("unavailable.value.placeholder") or UNAVAILABLE_VALUE),
            propagate_columns=_patterns(config, "column.propagate.source.type"),
            propagate_types=_patterns(config, "datatype.propagate.source.type"),
        )

    @property
    def placeholder_bytes(self) -> bytes:
        """The placeholder in UTF-8."""
        return self.placeholder.encode()

    def propagates(self, table: str, column: str, type_name: str) -> bool:
        """Whether a column's schema names its source type."""
        by_column = self.propagate_columns is not None and self.propagate_columns.match(f"{table}.{column}")
        return by_column or (
            self.propagate_types is not None and self.propagate_types.match(f"{table}.{type_name}")
        )


def _patterns(config: Mapping[str, Any], option: str) -> Patterns | None:
    patterns = Patterns(option, config.get(option))
    return patterns or None


def _placeholder(text: str) -> str:
    if not text.startswith("hex:"):
        return text
    try:
        return bytes.fromhex(text[4:]).decode()
    except ValueError as error:
        raise ConfigError(
            f"unavailable.value.placeholder is not UTF-8 in hexadecimal: {error}",
            option="unavailable.value.placeholder",
        ) from None
