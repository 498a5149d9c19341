"""What changes of one table share: in one transaction of the stream, or in one piece of the copy.

Created and used by the reader thread; asked by the task's thread when a record is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from connectors.cdc.encoder import Row, TableEncoder, sequence_text
from connectors.postgres.position import CopyOffset, StreamOffset, TransactionPart
from replicator.api import ChangeOrigin, ChangeRecord, Header
from replicator.api.position import COPY, STREAM

_KINDS: Final = {"c": "INSERT", "u": "UPDATE", "d": "DELETE", "t": "TRUNCATE", "r": "READ"}


class PostgresOrigin(ChangeOrigin):
    """The source block as Debezium's Postgres connector makes it; the detail of a change is its LSN."""

    __slots__ = ("_encoder", "_json", "_last", "_marker", "_replicated", "_ts_us", "_xid")

    def __init__(
        self,
        encoder: TableEncoder,
        partition: Mapping[str, Any],
        position: tuple[str, str, int],
        now_us: int,
        headers: list[Header],
        *,
        marker: str,
        ts_us: int,
        xid: int | None,
        last: int | None,
        replicated: tuple[str, int] | None = None,
    ) -> None:
        """Beside what `ChangeOrigin` takes, what is in the source block.

        That is the snapshot `marker`, the time `ts_us` of the commit or the snapshot, the transaction `xid`, the end of
        the `last` transaction before, and name and position of the replication origin it was `replicated` from.
        """
        super().__init__(
            encoder.topic, encoder.key_schema, encoder.value_schema, partition, position, now_us, headers
        )
        self._encoder = encoder
        self._marker = marker
        self._ts_us = ts_us
        self._xid = xid
        self._last = last
        self._replicated = replicated
        self._json: tuple[bytes, bytes, bytes] | None = None

    def source(self, detail: int) -> Row:
        """The source block of a change at this LSN."""
        sequence = sequence_text(self._last, detail)
        replicated = self._replicated or (None, None)
        return self._encoder.source(self._marker, self._ts_us, self._xid, detail, sequence, None, *replicated)

    @property
    def marker(self) -> str:
        """The snapshot marker."""
        return self._marker

    def source_json(self, detail: int) -> tuple[bytes, bytes]:
        """The same as JSON."""
        head, middle, tail = self._json_parts()
        lsn = b"%d" % detail
        return b"".join((head, lsn, middle, lsn)), tail

    def _json_parts(self) -> tuple[bytes, bytes, bytes]:
        parts = self._json
        if parts is None:
            replicated = self._replicated or (None, None)
            parts = self._json = self._encoder.source_json(
                self._marker, self._ts_us, self._xid, self._last, *replicated
            )
        return parts


class StreamOrigin(PostgresOrigin):
    """One table in one transaction."""

    __slots__ = ("part",)

    def __init__(
        self,
        encoder: TableEncoder,
        partition: Mapping[str, Any],
        identity: str,
        part: TransactionPart,
        now_us: int,
        headers: list[Header],
        replicated: tuple[str, int] | None,
    ) -> None:
        """`part` is what the offsets of the transaction share."""
        super().__init__(
            encoder,
            partition,
            (STREAM, identity, part.commit),
            now_us,
            headers,
            marker="false",
            ts_us=part.ts_us,
            xid=part.xid,
            last=part.last,
            replicated=replicated,
        )
        self.part = part

    def offset(self, change: ChangeRecord) -> StreamOffset:
        """The offset while the transaction is not handed out whole."""
        also = change.also
        kind = also.kind if also is not None and also.kind is not None else _KINDS[change.op]
        return StreamOffset(self.part, change.ordinal, change.detail, kind)


class IncrementalOrigin(StreamOrigin):
    """Rows of one table that an incremental snapshot read."""

    __slots__ = ()

    def __init__(
        self,
        encoder: TableEncoder,
        partition: Mapping[str, Any],
        identity: str,
        part: TransactionPart,
        now_us: int,
        headers: list[Header],
    ) -> None:
        """See `StreamOrigin`; the block tells neither transaction nor LSN, as Debezium's."""
        super().__init__(encoder, partition, identity, part, now_us, headers, None)
        self._marker = "incremental"
        self._xid = None

    def source(self, detail: int) -> Row:
        """The source block; a row of a snapshot has no LSN."""
        return self._encoder.source(
            self._marker, self._ts_us, None, None, sequence_text(None, detail), None, None, None
        )

    def source_json(self, detail: int) -> tuple[bytes, bytes]:
        """The same as JSON."""
        return orjson.dumps(self.source(detail)), b""


class CopyOrigin(PostgresOrigin):
    """One table in one piece of the copy."""

    __slots__ = ("_offset", "_whole")

    def __init__(
        self,
        encoder: TableEncoder,
        partition: Mapping[str, Any],
        identity: str,
        point: int,
        offset: CopyOffset,
        now_us: int,
        headers: list[Header],
        marker: str = "true",
    ) -> None:
        """`point` is the snapshot's consistent point."""
        super().__init__(
            encoder,
            partition,
            (COPY, identity, point),
            now_us,
            headers,
            marker=marker,
            ts_us=offset.ts_us,
            xid=None,
            last=None,
        )
        self._offset = offset
        self._whole: bytes | None = None

    def offset(self, change: ChangeRecord) -> CopyOffset:
        """The progress before this piece."""
        return self._offset

    def source_json(self, detail: int) -> tuple[bytes, bytes]:
        """All rows of a copy have the snapshot's position."""
        whole = self._whole
        if whole is None:
            whole = self._whole = b"".join(super().source_json(detail))
        return b"", whole

    def marked(self, marker: str) -> CopyOrigin:
        """The same with another snapshot marker."""
        position = (self.identity, self.commit)
        return CopyOrigin(
            self._encoder, self.partition, *position, self._offset, self.ts_us, self.headers, marker
        )
