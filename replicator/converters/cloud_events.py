"""CloudEventsConverter: Debezium's change events as CloudEvents 1.0, in JSON or Avro. Task thread.

The envelope becomes attributes (`iodebezium...`), the images become `data`. What is no change event gives no bytes.
Metadata is taken from the value; from headers it cannot be, as a converter does not see them here.
"""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, NamedTuple

import orjson

from replicator.api.config import ConfigDef
from replicator.api.converter import Converter, SchemaAndValue
from replicator.api.errors import ConfigError, DataError
from replicator.api.plans import PlanCache
from replicator.api.schema import BOOLEAN, BYTES, INT32, STRING, Schema, SchemaType, struct_schema
from replicator.api.struct import Struct
from replicator.converters.avro import AvroConverter
from replicator.converters.cloud_event_options import OPTIONS, options_of
from replicator.converters.json import JsonConverter

_IMAGES: Final = ("before", "after")
_REQUIRED: Final = ("id", "source", "specversion", "type")
_SMALL: Final = (SchemaType.INT8, SchemaType.INT16, SchemaType.INT32)
_TRANSACTION: Final = ("id", "total_order", "data_collection_order")
_IDS: Final = {
    "postgresql": ("name", "lsn", "txId", "sequence"),
    "mysql": ("name", "file", "pos"),
    "mariadb": ("name", "file", "pos"),
}
"""Fields of the source block that make an event's id, by the connector."""


class _Schemas(NamedTuple):
    event: Schema
    """With `data` last."""
    attributes: Schema
    """The event's without `data`."""
    data: Schema


class _Plan(NamedTuple):
    """What is kept for one envelope schema."""

    attributes: tuple[tuple[str, Schema], ...]
    images: tuple[tuple[str, Schema], ...]
    source: tuple[tuple[str, str, bool], ...]
    """Fields of the source block: name, attribute, whether numbers become texts."""
    made: dict[tuple[str, str, str], _Schemas]
    """By connector, its name and the database: names of schemas are made of them."""


class CloudEventsConverter(Converter):
    """Writes change events as CloudEvents, and reads them."""

    aliases: ClassVar[tuple[str, ...]] = ("io.debezium.converters.CloudEventsConverter",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        return OPTIONS

    def __init__(self) -> None:
        self._plans = PlanCache(self._plan)
        self._avro: AvroConverter | None = None

    def configure(self, config: Mapping[str, Any], *, is_key: bool) -> None:
        self._options = options_of(config)
        given = _subset(config, "json.")
        self._event_json, self._data_json = JsonConverter(), JsonConverter()
        self._event_json.configure({**given, "schemas.enable": "false"}, is_key=is_key)
        self._data_json.configure(given, is_key=True)
        self._with_schemas = str(given.get("schemas.enable", "true")).lower() == "true"
        if "avro" in (self._options.event, self._options.data):
            avro = _subset(config, "avro.")
            self._registry = str(avro.get("schema.registry.url") or "")
            if not self._registry:
                raise ConfigError(
                    "Need URL(s) for schema registry instances for CloudEvents when using Apache Avro",
                    option="avro.schema.registry.url",
                )
            self._avro = AvroConverter()
            self._avro.configure(avro, is_key=False)

    def from_connect_data(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        if schema is None or value is None or not (schema.name or "").endswith(".Envelope"):
            return None
        if not isinstance(value, Struct):
            raise DataError("Mismatching schema")
        plan = self._plans(schema)
        source = _source(value)
        schemas = self._schemas(plan, source)
        event = self._attributes(plan, value, source)
        data = Struct(schemas.data, {name: value.fields.get(name) for name, _ in plan.images})
        if self._options.data == "avro":
            return self._with_avro_data(topic, schemas, event, data)
        if not self._with_schemas:
            return self._event_json.from_connect_data(
                topic, schemas.event, Struct(schemas.event, {**event, "data": data})
            )
        # The event has no schema, its data have: both texts are made, and put together.
        text = (
            self._event_json.from_connect_data(topic, schemas.attributes, Struct(schemas.attributes, event))
            or b""
        )
        inner = self._data_json.from_connect_data(topic, schemas.data, data) or b"null"
        return text[:-1] + b',"data":' + inner + b"}"

    def _with_avro_data(
        self, topic: str, schemas: _Schemas, event: dict[str, Any], data: Struct
    ) -> bytes | None:
        avro = self._converter()
        place = topic if self._options.event == "json" else f"{topic}-data"
        written = avro.from_connect_data(place, schemas.data, data) or b""
        event |= {
            "dataschema": f"{self._registry}/schemas/ids/{int.from_bytes(written[1:5], 'big')}",
            "data": written,
        }
        form: Converter = self._event_json if self._options.event == "json" else avro
        return form.from_connect_data(topic, schemas.event, Struct(schemas.event, event))

    # --- events ---

    def _attributes(self, plan: _Plan, value: Struct, source: Struct) -> dict[str, Any]:
        connector = source.fields["connector"]
        found: dict[str, Any] = {
            "id": ";".join(f"{name}:{source.get(name)}" for name in _IDS[connector]),
            "source": f"/debezium/{connector}/{source.fields.get('name')}",
            "specversion": "1.0",
            "type": f"io.debezium.connector.{connector}.DataChangeEvent",
            "time": _time(source.fields["ts_ms"]),
            "datacontenttype": f"application/{self._options.data}",
        }
        if self._options.tracing:
            found["traceparent"] = None
        if self._options.extensions:
            found[attribute("op")] = value.fields.get("op")
            for name, target, as_text in plan.source:
                number = source.get(name)
                found[target] = str(number) if as_text and number is not None else number
            transaction = value.get("transaction") if value.schema.field("transaction") else None
            if isinstance(transaction, Struct):
                for name in _TRANSACTION:
                    found[attribute(f"tx{name}")] = str(transaction.fields.get(name))
        return found

    def _plan(self, schema: Schema) -> _Plan:
        source = schema.field("source")
        fields: list[tuple[str, Schema]] = [
            (name, STRING) for name in ("id", "source", "specversion", "type", "time", "datacontenttype")
        ]
        if self._options.data == "avro":
            fields.append(("dataschema", STRING))
        if self._options.tracing:
            fields.append(("traceparent", STRING))
        copied: list[tuple[str, str, bool]] = []
        if self._options.extensions and source is not None:
            fields.append((attribute("op"), STRING))
            for field in source.schema.fields:
                copied.append((field.name, attribute(field.name), field.schema.type is SchemaType.INT64))
                fields.append((attribute(field.name), _extension(field.schema)))
            fields += [(attribute(f"tx{name}"), STRING.as_optional()) for name in _TRANSACTION]
        images = tuple((f.name, f.schema) for f in schema.fields if f.name in _IMAGES)
        return _Plan(tuple(fields), images, tuple(copied), {})

    def _schemas(self, plan: _Plan, source: Struct) -> _Schemas:
        place = (source.fields["connector"], str(source.fields.get("name")), str(source.fields.get("db")))
        found = plan.made.get(place)
        if found is None:
            adjusted = self._options.adjusted
            data = struct_schema(plan.images, name=adjusted(f"io.debezium.connector.{place[0]}.Data"))
            kept = BYTES if self._options.data == "avro" else data
            name = adjusted(self._options.schema_name or f"{place[1]}.{place[2]}.CloudEvents.Envelope")
            event = struct_schema([*plan.attributes, ("data", kept)], name=name)
            found = plan.made[place] = _Schemas(event, struct_schema(plan.attributes, name=name), data)
        return found

    def _converter(self) -> AvroConverter:
        if self._avro is None:
            raise DataError("No Avro converter is configured")
        return self._avro

    # --- reading ---

    def to_connect_data(self, topic: str, data: bytes | None) -> SchemaAndValue:
        if self._options.event == "avro":
            return self._from_avro(topic, data)
        found = self._event_json.to_connect_data(topic, data).value
        if not isinstance(found, dict) or any(name not in found for name in (*_REQUIRED, "data")):
            raise DataError(f"A deserialized record's value is not a CloudEvent: value={found}")
        found["data"] = self._read_data(topic, found["data"])
        return SchemaAndValue(None, found)

    def _read_data(self, topic: str, data: Any) -> Any:
        if self._options.data == "avro":
            raw = base64.b64decode(data) if isinstance(data, str) else data
            return self._converter().to_connect_data(topic, raw).value
        if not self._with_schemas:
            return data
        return self._data_json.to_connect_data(topic, orjson.dumps(data)).value

    def _from_avro(self, topic: str, data: bytes | None) -> SchemaAndValue:
        avro = self._converter()
        event = avro.to_connect_data(topic, data)
        if event.schema is None or not isinstance(event.value, Struct):
            raise DataError(f"A deserialized record's value is not a CloudEvent: value={event.value}")
        inner = avro.to_connect_data(f"{topic}-data", event.value.get("data"))
        fields = [(f.name, inner.schema if f.name == "data" else f.schema) for f in event.schema.fields]
        schema = event.schema.evolve(fields=fields)
        return SchemaAndValue(schema, Struct(schema, {**event.value.fields, "data": inner.value}))

    def close(self) -> None:
        if self._avro is not None:
            self._avro.close()


def attribute(name: str) -> str:
    """An extension attribute: letters and digits only."""
    return "iodebezium" + re.sub("[^A-Za-z0-9]", "", name)


def _extension(schema: Schema) -> Schema:
    """Attributes are texts, 32 bit numbers or truth values."""
    if schema.type is SchemaType.BOOLEAN:
        made = BOOLEAN
    elif schema.type in _SMALL:
        made = INT32
    elif schema.type in (SchemaType.STRING, SchemaType.INT64):
        made = STRING
    else:
        raise DataError(
            f"Source field of type {schema.type.name} cannot be converted into CloudEvents extension attribute."
        )
    return made.as_optional() if schema.optional else made


def _source(value: Struct) -> Struct:
    source = value.get("source") if value.schema.field("source") is not None else None
    if not isinstance(source, Struct):
        raise DataError("The change event has no source block")
    connector = source.fields.get("connector")
    if connector not in _IDS:
        raise DataError(f'No usable CloudEvents converters for connector type "{connector}"')
    return source


def _time(milliseconds: int) -> str:
    moment = dt.datetime(1970, 1, 1) + dt.timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds") + "Z"


def _subset(config: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in config.items() if name.startswith(prefix)}
