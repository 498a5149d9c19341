"""Indices and data streams: made when they are missing, with a mapping from the schema. Task thread."""

from __future__ import annotations

import logging
from typing import Any

from connectors.elasticsearch.client import Answer, Client, segment
from connectors.elasticsearch.mapping import mapping_of
from connectors.elasticsearch.operations import TIMESTAMP_FIELD
from connectors.elasticsearch.settings import Settings
from replicator.api import ConnectError, Schema, SinkRecord

log = logging.getLogger(__name__)

_ALREADY_THERE = frozenset({"resource_already_exists_exception", "index_already_exists_exception"})


class Targets:
    """What is known to exist."""

    def __init__(self, settings: Settings, client: Client) -> None:
        self._settings = settings
        self._client = client
        self._names: dict[str, str] = {}
        self._existing: set[str] = set()
        self._mapped: set[str] = set()

    def of(self, record: SinkRecord) -> str:
        """The target of a record, made ready for it."""
        name = self._names.get(record.topic)
        if name is None:
            name = self._names[record.topic] = self._settings.target(record.topic)
        if name not in self._existing:
            self._ensure(name)
            self._existing.add(name)
        if name not in self._mapped and record.value_schema is not None and record.value is not None:
            self._map(name, record.topic, record.value_schema)
            self._mapped.add(name)
        return name

    def _ensure(self, name: str) -> None:
        if self._client.request("HEAD", f"/{segment(name)}").is_good:
            return
        if self._settings.usage != "DISABLED":
            raise ConnectError(
                f"{self._settings.usage} '{name}' does not exist; topic.to.external.resource.mapping names it."
            )
        if self._settings.is_data_stream:
            self._make_stream(name)
        else:
            self._created(self._client.request("PUT", f"/{segment(name)}"), "index", name)

    def _make_stream(self, name: str) -> None:
        made = self._client.request("PUT", f"/_data_stream/{segment(name)}")
        if not made.is_good and made.error_type not in _ALREADY_THERE:
            # Elasticsearch brings templates for logs and metrics, OpenSearch none: give the stream one of its own.
            template = {
                "index_patterns": [name],
                "data_stream": {},
                "priority": 500,
                "template": {"mappings": {"properties": {TIMESTAMP_FIELD: {"type": "date"}}}},
            }
            answer = self._client.request("PUT", f"/_index_template/{segment(name)}", template)
            self._created(answer, "index template", name)
            made = self._client.request("PUT", f"/_data_stream/{segment(name)}")
        self._created(made, "data stream", name)

    def _created(self, answer: Answer, what: str, name: str) -> None:
        if answer.is_good:
            log.info("Made %s %s", what, name)
        elif answer.error_type not in _ALREADY_THERE:
            raise ConnectError(f"The {what} '{name}' could not be made: {answer.status} {answer.text}")

    def _map(self, name: str, topic: str, schema: Schema) -> None:
        if self._settings.ignores_schema(topic) or self._settings.is_data_stream or self._has_mapping(name):
            return
        mapping = mapping_of(schema, self._settings.compact_maps)
        if "properties" not in mapping:
            return
        answer = self._client.request("PUT", f"/{segment(name)}/_mapping", mapping)
        if not answer.is_good:
            raise ConnectError(f"The mapping of '{name}' could not be made: {answer.status} {answer.text}")

    def _has_mapping(self, name: str) -> bool:
        answer = self._client.request("GET", f"/{segment(name)}/_mapping")
        if not answer.is_good or not isinstance(answer.body, dict):
            raise ConnectError(f"The mapping of '{name}' could not be read: {answer.status} {answer.text}")
        found: list[Any] = list(answer.body.values())
        return any(index.get("mappings", {}).get("properties") for index in found)
