"""The Elasticsearch sink's task: records become operations, answers offsets, reports or a failure. Task thread."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from connectors.elasticsearch.bulk import Bulk, Refusal
from connectors.elasticsearch.client import Client
from connectors.elasticsearch.operations import Operations
from connectors.elasticsearch.options import OPTIONS
from connectors.elasticsearch.settings import Settings
from connectors.elasticsearch.targets import Targets
from replicator.api import ConnectError, DataError, OffsetAndMetadata, SinkRecord, SinkTask, TopicPartition
from replicator.api.source import ConnectorConfig

log = logging.getLogger(__name__)

_MALFORMED: Final = frozenset(
    {
        "action_request_validation_exception",
        "document_parsing_exception",
        "illegal_argument_exception",
        "mapper_exception",
        "mapper_parsing_exception",
        "parse_exception",
        "parsing_exception",
        "strict_dynamic_mapping_exception",
    }
)
_CONFLICT: Final = "version_conflict_engine_exception"


class ElasticsearchSinkTask(SinkTask):
    """Writes topics as documents."""

    def start(self, config: ConnectorConfig) -> None:
        options = OPTIONS.parse(config)
        self._settings = Settings(options)
        self._linger: float = options["linger.ms"] / 1000
        self._flush_timeout: float = options["flush.timeout.ms"] / 1000
        self._synchronous: bool = options["flush.synchronously"]
        self._failed: ConnectError | None = None
        self._conflicts = 0
        self._client = Client(options, self.context.stopping)
        self._targets = Targets(self._settings, self._client)
        self._operations = Operations(self._settings, options["max.in.flight.requests"])
        self._bulk = Bulk(
            self._client,
            batch_size=options["batch.size"],
            batch_bytes=options["bulk.size.bytes"],
            in_flight=options["max.in.flight.requests"],
            buffered=options["max.buffered.records"],
            ordered=self._settings.upsert,
            refused=self._refused,
        )
        self._greet()

    def put(self, records: Sequence[SinkRecord]) -> None:
        if self._failed is not None:
            raise self._failed
        try:
            self._put(records)
        except ConnectError as error:
            # What was delivered is in flight: the same batch must not be taken for a new one.
            self._failed = error
            raise

    @property
    def is_ahead(self) -> bool:
        return not self._bulk.is_empty

    def flush(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        if self._failed is not None:
            raise self._failed
        try:
            self._bulk.flush(self._flush_timeout)
        except ConnectError as error:
            self._failed = error
            raise

    def stop(self) -> None:
        bulk, client = getattr(self, "_bulk", None), getattr(self, "_client", None)
        if bulk is not None:
            bulk.close()
        if client is not None:
            client.close()

    def _greet(self) -> None:
        """Say whom we talk to, so that a wrong address shows at the start."""
        answer = self._client.request("GET", "/")
        version = answer.body.get("version", {}) if isinstance(answer.body, dict) else {}
        number, make = version.get("number", "unknown"), version.get("distribution", "elasticsearch")
        log.info("%s: writing to %s %s", self.context.connector, make, number)

    def _put(self, records: Sequence[SinkRecord]) -> None:
        self._bulk.collect()
        for record in records:
            self._add(record)
        if self._synchronous:
            self._bulk.flush(self._flush_timeout)
            return
        left = self._linger - self._bulk.lingered()
        if left <= 0 or not records:
            self._bulk.send()
        elif not self._bulk.is_empty:
            self.context.timeout(max(1, int(left * 1000)))
        self._bulk.collect()

    def _add(self, record: SinkRecord) -> None:
        try:
            operation = self._operations.of(record, self._settings.target(record.topic))
        except DataError as error:
            self._invalid(record, error)
            return
        if operation is not None:
            self._targets.of(record)
            self._bulk.add(operation)

    def _invalid(self, record: SinkRecord, error: DataError) -> None:
        if self._settings.drop_invalid:
            log.error(
                "Can't convert record from topic/partition/offset %s/%s/%s, dropped: %s",
                record.topic, record.partition, record.kafka_offset, error,
            )  # fmt: skip
        elif self.context.reporter is None:
            raise error
        else:
            self.context.reporter.report(record, error)

    def _refused(self, refusal: Refusal) -> None:
        operation, record = refusal.operation, refusal.operation.record
        if refusal.kind == _CONFLICT:
            self._conflict(refusal)
            return
        document = f" Document: {record.value!r}." if self._settings.show_data else ""
        reason = (
            refusal.reason
            if self._settings.show_data
            else refusal.reason.partition(" in document with id")[0]
        )
        error = DataError(
            f"Indexing record failed -> Response status: {refusal.status}, Index: {operation.target},"
            f" Document Id: {operation.id}, {refusal.kind}: {reason}."
            f" Topic/partition/offset {record.topic}/{record.partition}/{record.kafka_offset}.{document}",
        )
        if refusal.kind not in _MALFORMED:
            raise ConnectError(error.message)
        behavior = self._settings.on_malformed
        if behavior == "fail":
            raise ConnectError(
                error.message, hint="Set behavior.on.malformed.documents to ignore or warn to go on."
            )
        log.log(logging.WARNING if behavior == "warn" else logging.DEBUG, "%s", error)
        if self.context.reporter is not None:
            self.context.reporter.report(record, error)

    def _conflict(self, refusal: Refusal) -> None:
        """With our versions: a newer one is there already. Of a data stream: the document is."""
        operation = refusal.operation
        self._conflicts += 1
        self.context.gauge("elasticsearch_version_conflicts", float(self._conflicts))
        if operation.versioned or self._settings.is_data_stream:
            log.debug("%s of %s: an equal or newer version is there", operation.id, operation.target)
            return
        record = operation.record
        error = DataError(
            f"Version conflict for document {operation.id} in {operation.target}: {refusal.reason}"
        )
        log.warning("%s", error)
        if self.context.reporter is not None:
            self.context.reporter.report(record, error)
