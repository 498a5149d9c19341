"""Source records to messages: the hot path of a source (task thread).

One tight loop with everything bound to locals; a record that raises leaves the loop for the slow
path with retries and tolerance, then the loop goes on behind it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from replicator.api.change import ChangeOrigin, ChangeRecord
from replicator.api.converter import Converter, HeaderConverter
from replicator.api.position import INTERNAL_HEADER_PREFIX, POSITION_HEADER
from replicator.api.record import Header, SourceRecord
from replicator.broker.message import MessageHeaders, NewMessage
from replicator.converters.json_change import ChangeJson
from replicator.runtime.chain import Chain
from replicator.runtime.crossings import DELICATE
from replicator.runtime.durability import partition_key
from replicator.runtime.inflight import PartitionOffset
from replicator.runtime.slow_chain import finish
from replicator.runtime.source_letters import LetterEncoder
from replicator.runtime.tolerance import FAILED, ErrorHandler, Stage

_FORMS: Final[dict[object, object]] = {}
"""Equal forms are one object, so that the hot path compares identities."""

_INTERNAL: Final = INTERNAL_HEADER_PREFIX
_POSITION: Final = POSITION_HEADER


class RecordWriter:
    """Chain and converters of one source task.

    Attributes:
        topics: topics of the records converted so far that nobody has taken yet.
        delicate: whether one of them is a record that a topic of several partitions may not be able to carry.
    """

    def __init__(
        self, chain: Chain, key: Converter, value: Converter, header: HeaderConverter, errors: ErrorHandler
    ) -> None:
        self._chain = chain
        self._key = key
        self._value = value
        self._header = header
        self._errors = errors
        # A transform has to see each record, so changes are neither written nor handed over as they are.
        self._changes = None if chain else ChangeJson(key, value)
        self._form = None if chain else common_form(key, value, header)
        self.topics: set[str] = set()
        self.delicate = False
        self._shared_source: list[Header] = []
        self._shared_topic = ""
        self._shared_raw: MessageHeaders = []

    def letters(self) -> LetterEncoder:
        """Encodes records that failed for the dead letter queue."""
        return LetterEncoder(self._key, self._value, self._headers)

    def convert(self, records: Sequence[SourceRecord]) -> list[NewMessage]:
        """Messages of the records that carry data and were neither filtered nor skipped."""
        messages: list[NewMessage] = []
        add = messages.append
        if not records:
            return messages
        make = self._message
        apply = self._chain.apply if self._chain else None
        changes, form = self._changes, self._form
        origin: ChangeOrigin | None = None
        plain = handed = False
        shared: Sequence[tuple[str, bytes | None]] = ()
        topic, prefix, position = "", b"", b""
        remaining = iter(records)
        polled = record = records[0]
        while True:
            try:
                for polled in remaining:
                    record = polled
                    if type(polled) is ChangeRecord and changes is not None:
                        if polled.origin is not origin:
                            turned = polled.origin
                            plain = changes.turn_to(turned)
                            shared = self._shared(turned) if turned.headers else ()
                            handed = form is not None and not shared
                            topic, prefix, position = turned.topic, changes.prefix, turned.prefix.encode()
                            self.topics.add(topic)
                            origin = turned  # last: nothing of it is used when a header cannot be converted
                        if plain and (polled.also is None or polled.also.header is None):
                            polled.form = form
                            body, suffix = changes.value(polled)
                            add(
                                NewMessage(
                                    topic,
                                    changes.key(polled),
                                    body,
                                    None,
                                    None,
                                    [
                                        (_POSITION, b"%b%d:%d" % (position, polled.ordinal, polled.end)),
                                        *shared,
                                    ],
                                    prefix,
                                    polled if handed else None,
                                    suffix,
                                )
                            )
                            continue
                    if not record.topic:
                        continue
                    if apply is not None:
                        transformed = apply(record)
                        if transformed is None:
                            continue
                        record = cast(SourceRecord, transformed)
                    add(make(record))
                return messages
            except Exception:  # noqa: BLE001 - the slow path makes the same call and decides by its error
                # Without a broken chain the error is a converter's, and `record` what the chain made.
                message = self._convert_slowly(polled, record)
                if message is not None:
                    self.topics.add(message.topic)
                    add(message)

    def _message(self, record: SourceRecord) -> NewMessage:
        topic, headers = record.topic, record.headers
        self.topics.add(topic)
        prefix, rest = self._value.from_connect_parts(topic, record.value_schema, record.value)
        return NewMessage(
            topic,
            self._key.from_connect_data(topic, record.key_schema, record.key),
            rest,
            record.partition,
            record.timestamp,
            self._headers(topic, headers) if headers else None,
            prefix,
        )

    def _shared(self, origin: ChangeOrigin) -> MessageHeaders:
        """The converted headers that every change of an origin has; one list serves the whole task."""
        if origin.headers is not self._shared_source or origin.topic != self._shared_topic:
            self._shared_raw = self._headers(origin.topic, origin.headers)
            self._shared_source, self._shared_topic = origin.headers, origin.topic
        return self._shared_raw

    def _headers(self, topic: str, headers: list[Header]) -> MessageHeaders:
        raw: MessageHeaders = []
        for key, schema, value in headers:
            if key in DELICATE:
                self.delicate = True
            if key == _POSITION or key.startswith(_INTERNAL):
                raw.append((key, value.encode()))
            else:
                raw.append((key, self._header.from_connect_header(topic, key, schema, value)))
        return raw

    def _convert_slowly(self, polled: SourceRecord, transformed: SourceRecord) -> NewMessage | None:
        """The same, stage by stage; None for a record that is filtered or skipped.

        Goes on where the fast path failed, so that nothing is transformed twice.
        """
        call = self._errors.call
        record: Any = transformed
        broken = self._chain.take_broken()
        if broken is not None:
            record = finish(self._chain, broken, self._errors, polled)
            if record is None or record is FAILED:
                return None
        topic = record.topic
        headers = call(
            Stage.HEADER_CONVERTER,
            type(self._header),
            lambda: self._headers(topic, record.headers) if record.headers else None,
            polled,
        )
        if headers is FAILED:
            return None
        key = call(
            Stage.KEY_CONVERTER,
            type(self._key),
            lambda: self._key.from_connect_data(topic, record.key_schema, record.key),
            polled,
        )
        if key is FAILED:
            return None
        value = call(
            Stage.VALUE_CONVERTER,
            type(self._value),
            lambda: self._value.from_connect_data(topic, record.value_schema, record.value),
            polled,
        )
        if value is FAILED:
            return None
        return NewMessage(topic, key, value, record.partition, record.timestamp, headers)


def common_form(key: Converter, value: Converter, header: HeaderConverter) -> object | None:
    """What a reader must have in common with a writer to take over its objects; None if that cannot be."""
    forms = (key.form(), value.form())
    if None in forms:
        return None
    form = (*forms, type(header))
    return _FORMS.setdefault(form, form)


def newest_offsets(records: Sequence[SourceRecord]) -> list[PartitionOffset]:
    """The last offset of each source partition in the batch, as maps.

    Partitions are told apart by identity first, since a source hands out the same map again and again;
    equal ones in different maps are merged, and the one that comes last in the batch counts.
    """
    last: dict[int, int] = {}
    origin: ChangeOrigin | None = None
    key = 0
    for index, record in enumerate(records):
        if type(record) is not ChangeRecord:
            key, origin = id(record.source_partition), None
        elif record.origin is not origin:
            origin = record.origin
            key = id(origin.partition)
        last[key] = index
    found: dict[str, PartitionOffset] = {}
    for index in sorted(last.values()):
        partition, offset = records[index].source_partition, records[index].source_offset
        if partition is None or offset is None:
            continue
        plain = dict(offset) if isinstance(offset, Mapping) else offset.to_map()
        found[partition_key(partition)] = (dict(partition), plain)
    return list(found.values())
