"""Messages to sink records: the hot path of a sink (task thread); twin of source_records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from replicator.api.change import ChangeSinkRecord
from replicator.api.converter import Converter, HeaderConverter
from replicator.api.position import INTERNAL_HEADER_PREFIX, POSITION_HEADER
from replicator.api.record import Header, SinkRecord
from replicator.api.struct import Struct
from replicator.broker.message import Message, MessageHeaders
from replicator.runtime.chain import Broken, Chain
from replicator.runtime.slow_chain import finish
from replicator.runtime.source_records import common_form
from replicator.runtime.tolerance import FAILED, ErrorHandler, Stage

_INTERNAL: Final = INTERNAL_HEADER_PREFIX
_POSITION: Final = POSITION_HEADER
_MOST_HEADERS: Final = 1000
_IMMUTABLE: Final = (str, int, float, type(None))
_new_tuple: Final = tuple.__new__


class RecordReader:
    """Converters and chain of one sink task."""

    def __init__(
        self, chain: Chain, key: Converter, value: Converter, header: HeaderConverter, errors: ErrorHandler
    ) -> None:
        self._chain = chain
        self._key = key
        self._value = value
        self._header = header
        self._errors = errors
        self._form = common_form(key, value, header)
        self._read_value = value.to_connect_parts
        self._known: dict[tuple[object, ...], list[Header]] = {}
        self._recent: tuple[Sequence[Message], ...] = ((), ())

    def leave_source_unread(self) -> None:
        """The task seldom looks at source blocks; transforms do."""
        if not self._chain:
            self._read_value = self._value.to_envelope_parts

    def convert(self, messages: Sequence[Message]) -> list[SinkRecord]:
        """Records to deliver; those filtered or skipped are absent."""
        self._recent = (messages, self._recent[0])
        records: list[SinkRecord] = []
        add = records.append
        read_key, read_value = self._key.to_connect_data, self._read_value
        read_headers = self._headers
        apply = self._chain.apply if self._chain else None
        form = self._form
        remaining = iter(messages)
        message: Message | None = None
        while True:
            try:
                for message in remaining:
                    topic = message.topic
                    timestamp = message.timestamp
                    data = message.data
                    if data is not None and data.form is form:
                        # The very change a source of this process wrote; see Converter.form.
                        message.data = None  # the message is kept for a while, its objects need not be
                        record: SinkRecord = ChangeSinkRecord(
                            data, topic, message.partition, message.offset, timestamp
                        )
                    else:
                        key_schema, key = read_key(topic, message.key)
                        value_schema, value = read_value(topic, message.prefix, message.rest)
                        raw = message.headers
                        record = SinkRecord(
                            topic,
                            message.partition,
                            key_schema,
                            key,
                            value_schema,
                            value,
                            message.offset,
                            timestamp if timestamp >= 0 else None,
                            read_headers(topic, raw) if raw else None,
                        )
                    if apply is not None:
                        transformed = apply(record)
                        if transformed is None:
                            continue
                        record = cast(SinkRecord, transformed)
                    add(record)
                return records
            except Exception:  # noqa: BLE001 - the slow path makes the same call and decides by its error
                assert message is not None
                slow = self._convert_slowly(message)
                if slow is not None:
                    add(slow)

    def commit_times(self, records: Sequence[SinkRecord]) -> Sequence[int]:
        """When the first and the last of these were committed at the source, in milliseconds, as far as they say.

        Asked once a batch. A transform may have dropped the source block: then the consumed record tells.
        """
        ends = records[0], records[-1]
        try:
            if self._chain:
                found = [self._source_time(self.original(record)) for record in ends]
            else:
                found = [commit_time(record.value) for record in ends]
        except Exception:  # noqa: BLE001 - a figure is not worth a failure
            return ()
        return [moment for moment in found if moment is not None]

    def _source_time(self, message: Message) -> int | None:
        return commit_time(self._value.to_connect_data(message.topic, message.value).value)

    def original(self, record: SinkRecord) -> Message:
        """The consumed message behind a record, whatever transforms made of it."""
        topic, partition = record.original_topic, record.original_kafka_partition
        offset = record.original_kafka_offset
        for batch in self._recent:
            for message in batch:
                if message.offset == offset and message.topic == topic and message.partition == partition:
                    return message
        key = self._key.from_connect_data(topic, record.key_schema, record.key)
        value = self._value.from_connect_data(topic, record.value_schema, record.value)
        stamp = -1 if record.timestamp is None else record.timestamp
        return Message(topic, partition, offset, stamp, key, value, None)

    def _headers(self, topic: str, raw: MessageHeaders) -> list[Header]:
        name, data = raw[0]
        if name != _POSITION or data is None:
            return self._converted(topic, raw)
        # Nearly every record has this one; tuple.__new__ skips a Python call.
        position = _new_tuple(Header, (name, None, data.decode()))
        if len(raw) == 1:
            return [position]
        # The others are the same from record to record, as a rule.
        others = (topic, *raw[1:])
        known = self._known.get(others)
        if known is None:
            known = self._converted(topic, raw[1:])
            if all(isinstance(header.value, _IMMUTABLE) for header in known):
                if len(self._known) >= _MOST_HEADERS:
                    self._known.clear()
                self._known[others] = known
        return [position, *known]

    def _converted(self, topic: str, raw: MessageHeaders) -> list[Header]:
        headers: list[Header] = []
        for key, data in raw:
            if key.startswith(_INTERNAL):
                headers.append(Header(key, None, None if data is None else data.decode()))
            else:
                schema, value = self._header.to_connect_header(topic, key, data)
                headers.append(Header(key, schema, value))
        return headers

    def _convert_slowly(self, message: Message) -> SinkRecord | None:
        """The same, stage by stage; None for a record that is filtered or skipped."""
        broken = self._chain.take_broken()
        if broken is not None:
            return self._kept(finish(self._chain, broken, self._errors, message))
        call = self._errors.call
        topic = message.topic
        key = call(
            Stage.KEY_CONVERTER,
            type(self._key),
            lambda: self._key.to_connect_data(topic, message.key),
            message,
        )
        if key is FAILED:
            return None
        value = call(
            Stage.VALUE_CONVERTER,
            type(self._value),
            lambda: self._value.to_connect_data(topic, message.value),
            message,
        )
        if value is FAILED:
            return None
        headers = call(
            Stage.HEADER_CONVERTER,
            type(self._header),
            lambda: self._headers(topic, message.headers) if message.headers else None,
            message,
        )
        if headers is FAILED:
            return None
        stamp = message.timestamp if message.timestamp >= 0 else None
        record: Any = SinkRecord(
            topic, message.partition, key[0], key[1], value[0], value[1], message.offset, stamp, headers
        )
        if not self._chain:
            return cast(SinkRecord, record)
        # A retry has helped a converter: the record has the chain still before it.
        return self._kept(finish(self._chain, Broken(0, record, None), self._errors, message))

    @staticmethod
    def _kept(record: Any) -> SinkRecord | None:
        return None if record is None or record is FAILED else cast(SinkRecord, record)


def commit_time(value: Any) -> int | None:
    """When a change event was committed at its source, in milliseconds; None for copied rows and other records."""
    fields = value.fields if isinstance(value, Struct) else value
    source = fields.get("source") if isinstance(fields, dict) else None
    block = source.fields if isinstance(source, Struct) else source
    if not isinstance(block, dict) or str(block.get("snapshot", "false")).lower() not in ("false", "none"):
        return None
    stamp = block.get("ts_ms")
    return stamp if isinstance(stamp, int) and stamp > 0 else None
