"""Transforms of geometries: SwapGeometryCoordinates, GeometryFormatTransformer. Task thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from connectors.cdc import wkb
from connectors.cdc.smt_options import option, refused
from replicator.api.config import ConfigDef, Importance, Width
from replicator.api.errors import ConnectError, DataError
from replicator.api.logical import DBZ_GEOMETRY
from replicator.api.option_types import Type
from replicator.api.plans import PlanCache
from replicator.api.record import ConnectRecord
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.api.transform import Transformation

Rewrite = Callable[[Any], Any]
"""Makes a new value of an old one."""

_SWAPPED: Final = (4326, 3857, 4269)


class _GeometryTransform(Transformation):
    """Rewrites the geometries in a value, wherever they are; the schema stays."""

    in_lists: ClassVar[bool] = False

    def __init__(self) -> None:
        self._plans = PlanCache(self._rewrite_of)

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        if not isinstance(record.value, Struct):
            return record
        rewrite = self._plans(record.value.schema)
        if rewrite is None:
            return record
        return record.evolve(value=Struct(record.value.schema, rewrite(record.value)))

    def geometry(self, data: bytes, srid: int | None) -> bytes:
        """The new bytes of a geometry."""
        raise NotImplementedError

    def _rewrite_of(self, schema: Schema) -> Rewrite | None:
        """What rewrites values of a schema; None where no geometry can be in them."""
        if schema.type is SchemaType.STRUCT:
            if schema.name == DBZ_GEOMETRY:
                return self._geometry
            found = {f.name: rewrite for f in schema.fields if (rewrite := self._rewrite_of(f.schema))}
            return _struct(found) if found else None
        if not self.in_lists or schema.value_schema is None:
            return None
        inner = self._rewrite_of(schema.value_schema)
        if inner is None:
            return None
        return _array(inner) if schema.type is SchemaType.ARRAY else _map(inner)

    def _geometry(self, value: Any) -> dict[str, Any]:
        fields = _fields(value)
        data = fields.get("wkb")
        return fields if data is None else {**fields, "wkb": self.geometry(bytes(data), fields.get("srid"))}


class SwapGeometryCoordinates(_GeometryTransform):
    """Exchanges x and y of geometries that have one of the listed spatial references."""

    aliases: ClassVar[tuple[str, ...]] = ("io.debezium.transforms.SwapGeometryCoordinates",)
    in_lists = True

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef(
            option(
                "srids",
                Type.STRING,
                None,
                "Geometry SRIDs that should be considered for coordinate swapping",
                "Spatial references whose coordinates are exchanged; 4326, 3857 and 4269 if not set.",
                width=Width.MEDIUM,
            )
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        given = self.config_def().parse(config)["srids"]
        try:
            self._srids = frozenset(map(int, given.split(",")) if given is not None else _SWAPPED)
        except ValueError:
            raise refused("srids", given, "A list of integers is expected") from None

    def geometry(self, data: bytes, srid: int | None) -> bytes:
        if srid not in self._srids:
            return data
        try:
            return wkb.swapped(data)
        except wkb.InvalidGeometryError as error:
            raise DataError("Failed to swap EWKB/WKB coordinates") from error


class GeometryFormatTransformer(_GeometryTransform):
    """Makes plain binary of extended binary, and, unless the format is ewkb, extended of plain.

    That is what the reference does: its option names the form that plain geometries have, not the one wanted.
    """

    aliases: ClassVar[tuple[str, ...]] = ("io.debezium.transforms.GeometryFormatTransformer",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef(
            option(
                "format",
                Type.STRING,
                "wkb",
                "Target Format",
                "wkb: plain binary gets its spatial reference, extended loses it; ewkb: plain binary stays as it is.",
                importance=Importance.LOW,
                width=Width.MEDIUM,
            )
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        given = self.config_def().parse(config)["format"]
        if given.strip().lower() not in ("wkb", "ewkb"):
            raise refused("format", given, "Value must be one of ewkb, wkb")
        self._extends = given.strip().lower() == "wkb"

    def geometry(self, data: bytes, srid: int | None) -> bytes:
        try:
            if wkb.is_extended(data):
                return wkb.as_plain(data)
            return wkb.as_extended(data, srid) if self._extends else data
        except wkb.InvalidGeometryError as error:
            raise ConnectError(f"Invalid geometry: {error}") from error


def _fields(value: Any) -> dict[str, Any]:
    return value.fields if isinstance(value, Struct) else dict(value)


def _struct(rewrites: Mapping[str, Rewrite]) -> Rewrite:
    def rewrite(value: Any) -> dict[str, Any]:
        fields = dict(_fields(value))
        for name, of_field in rewrites.items():
            if fields.get(name) is not None:
                fields[name] = of_field(fields[name])
        return fields

    return rewrite


def _array(inner: Rewrite) -> Rewrite:
    return lambda value: [None if item is None else inner(item) for item in value]


def _map(inner: Rewrite) -> Rewrite:
    return lambda value: {key: None if item is None else inner(item) for key, item in value.items()}
