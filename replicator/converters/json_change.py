"""Change envelopes as JSON, straight from their parts: nothing is made only to be written.

The text equals what JsonConverter writes for the envelope; what is the same for many changes is written once.
Runs on the task's thread.
"""

from __future__ import annotations

from typing import Final

import orjson

from replicator.api.change import ChangeOrigin, ChangeRecord
from replicator.api.converter import Converter
from replicator.api.schema import Schema
from replicator.converters.json_native import JSON_OPTIONS, unwrap_struct

_MOST_FORMS: Final = 1000


class _Form:
    """How changes of one pair of schemas are written.

    Attributes:
        schemas: the pair, kept so that their identities stay theirs.
        key: what stands before and after a key.
        value: what stands before and after a value.
        plain: whether JSON is all that is needed; else the rest is empty.
    """

    __slots__ = ("key", "plain", "schemas", "value")

    def __init__(
        self,
        schemas: tuple[Schema | None, Schema],
        key: tuple[bytes, bytes] | None,
        value: tuple[bytes, bytes] | None,
    ) -> None:
        self.schemas = schemas
        self.plain = key is not None and value is not None
        self.key = key or (b"", b"")
        self.value = value or (b"", b"")


class ChangeJson:
    """Writes changes for one pair of converters.

    Attributes:
        prefix: what stands before every value of the origin turned to.
    """

    def __init__(self, key: Converter, value: Converter) -> None:
        self._key = key
        self._value = value
        self._forms: dict[tuple[int, int], _Form] = {}
        self._form: _Form | None = None
        self._times = b""
        self._tails: dict[str, bytes] = {}
        self.prefix = b""

    def turn_to(self, origin: ChangeOrigin) -> bool:
        """Prepare for changes of this origin; False when its values need more than plain JSON."""
        form = self._form
        if (
            form is None
            or form.schemas[0] is not origin.key_schema
            or form.schemas[1] is not origin.value_schema
        ):
            form = self._form = self._known_form(origin.key_schema, origin.value_schema)
            self.prefix = form.value[0]
        us = origin.ts_us
        self._times = b'","ts_ms":%d,"ts_us":%d,"ts_ns":%d}%b' % (us // 1000, us, us * 1000, form.value[1])
        self._tails = {}
        return form.plain

    def _known_form(self, key_schema: Schema | None, value_schema: Schema) -> _Form:
        identities = (id(key_schema), id(value_schema))
        form = self._forms.get(identities)
        if form is None:
            row = value_schema.field("after")
            value = self._value.around_json(value_schema, row.schema) if row is not None else None
            key = (b"", b"") if key_schema is None else self._key.around_json(key_schema, key_schema)
            if len(self._forms) >= _MOST_FORMS:
                self._forms.clear()
            form = self._forms[identities] = _Form((key_schema, value_schema), key, value)
        return form

    def key(self, change: ChangeRecord) -> bytes | None:
        """The key's whole text; None for a change without key and schema."""
        fields = change.key_fields
        if fields is None:
            return self._key.from_connect_data(change.topic, change.key_schema, None)
        assert self._form is not None
        before, after = self._form.key
        return before + orjson.dumps(fields, unwrap_struct, JSON_OPTIONS) + after

    def value(self, change: ChangeRecord) -> tuple[bytes, bytes]:
        """The value's text behind the prefix, as body and suffix; many changes share a suffix."""
        before, after, also = change.before, change.after, change.also
        op = change.op
        source, end = change.origin.source_json(change.detail)
        tail = self._tails.get(op) if also is None or also.transaction is None else self._tail(change, end)
        if tail is None:
            tail = self._tails[op] = self._tail(change, end)
        body = b"".join(
            (
                b'{"before":',
                b"null" if before is None else orjson.dumps(before, unwrap_struct, JSON_OPTIONS),
                b',"after":',
                b"null" if after is None else orjson.dumps(after, unwrap_struct, JSON_OPTIONS),
                b',"source":',
                source,
            )
        )
        return body, tail

    def _tail(self, change: ChangeRecord, end: bytes) -> bytes:
        block = orjson.dumps(change.also.transaction if change.also is not None else None)
        return b'%b,"transaction":%b,"op":"%b%b' % (end, block, change.op.encode(), self._times)
