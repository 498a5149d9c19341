"""Decoding of pgoutput messages, protocol version 1.

Pure functions over bytes, used by the task's thread. Row messages take the fast way: look at
`data[0]`, read the relation with `row_relation`, then `decode_insert`, `decode_update` or
`decode_delete` (or `decode_tuple` by hand). Every other message becomes a small object through
`decode`. Bytes that make no sense raise DataError and nothing else, whatever they are.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from connectors.cdc.tables import UNCHANGED, Text
from replicator.api import DataError

POSTGRES_EPOCH_US: Final = 946_684_800_000_000
"""Microseconds from 1970 to 2000, where Postgres' clock starts."""

BEGIN: Final = ord("B")
COMMIT: Final = ord("C")
ORIGIN: Final = ord("O")
RELATION: Final = ord("R")
TYPE: Final = ord("Y")
INSERT: Final = ord("I")
UPDATE: Final = ord("U")
DELETE: Final = ord("D")
TRUNCATE: Final = ord("T")
MESSAGE: Final = ord("M")

OLD_TUPLE: Final = "O"
"""The old tuple is the whole row (REPLICA IDENTITY FULL)."""


Texts: TypeAlias = "list[Text]"
Buffer: TypeAlias = "bytes | memoryview"


@dataclass(frozen=True, slots=True)
class Begin:
    """A transaction starts; `final_lsn` orders transactions (C5)."""

    final_lsn: int
    commit_us: int
    xid: int


@dataclass(frozen=True, slots=True)
class Commit:
    """A transaction ends; `end_lsn` is what may be acknowledged (C5)."""

    commit_lsn: int
    end_lsn: int
    commit_us: int
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Origin:
    """The transaction was itself replicated from elsewhere."""

    lsn: int
    name: str


@dataclass(frozen=True, slots=True)
class RelationColumn:
    """A column of a relation message; flag 1 marks the replica identity."""

    flags: int
    name: str
    type_oid: int
    typmod: int

    @property
    def is_key(self) -> bool:
        """Whether the column belongs to the replica identity."""
        return bool(self.flags & 1)


@dataclass(frozen=True, slots=True)
class Relation:
    """The shape of a table from here on; identity is d, n, f or i."""

    oid: int
    schema: str
    name: str
    identity: str
    columns: tuple[RelationColumn, ...]


@dataclass(frozen=True, slots=True)
class TypeMessage:
    """Name of a type that is not built in."""

    oid: int
    schema: str
    name: str


@dataclass(frozen=True, slots=True)
class Truncate:
    """Tables were truncated by one statement."""

    relations: tuple[int, ...]
    cascade: bool
    restart_identity: bool


@dataclass(frozen=True, slots=True)
class LogicalMessage:
    """Something said with pg_logical_emit_message."""

    transactional: bool
    lsn: int
    prefix: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Insert:
    """A new row."""

    relation: int
    new: Texts


@dataclass(frozen=True, slots=True)
class Update:
    """A changed row; `old_kind` is K, O or None."""

    relation: int
    old_kind: str | None
    old: Texts | None
    new: Texts


@dataclass(frozen=True, slots=True)
class Delete:
    """A removed row; `old_kind` is K or O."""

    relation: int
    old_kind: str
    old: Texts


Message: TypeAlias = (
    Begin | Commit | Origin | Relation | TypeMessage | Truncate | LogicalMessage | Insert | Update | Delete
)

_BEGIN = struct.Struct(">QqI")
_COMMIT = struct.Struct(">BQQq")
_U64 = struct.Struct(">Q")
_I32 = struct.Struct(">i")
_U32 = struct.Struct(">I")
_U16 = struct.Struct(">H")
_COLUMN_TAIL = struct.Struct(">Ii")
_TRUNCATE = struct.Struct(">IB")
_MESSAGE = struct.Struct(">BQ")
_size_at = _U32.unpack_from


def decode(data: Buffer) -> Message:
    """The message in `data`.

    Raises:
        DataError: the bytes are not a protocol 1 message.
    """
    data = bytes(data)
    try:
        return _DECODERS[data[0]](data)
    except KeyError:
        raise DataError(f"Unknown pgoutput message {data[:1]!r}") from None
    except (IndexError, struct.error):
        raise DataError(f"Truncated pgoutput message {data[:1]!r} of {len(data)} bytes") from None
    except UnicodeDecodeError as error:
        raise DataError(f"pgoutput message {data[:1]!r} is not valid UTF-8: {error}") from None


def row_relation(data: Buffer) -> int:
    """Object id of the relation of a row message.

    Raises:
        DataError: the message is too short.
    """
    try:
        oid: int = _size_at(data, 1)[0]
    except struct.error:
        raise DataError("Truncated pgoutput row message") from None
    return oid


def decode_tuple(data: Buffer, pos: int, n: int) -> tuple[Texts, int]:
    """The tuple whose column count stands at `pos`, and the position after it.

    Values are str, None for NULL, or `UNCHANGED`.

    Args:
        data: the whole message.
        pos: where the tuple starts (at its 16-bit column count).
        n: how many columns the relation has.

    Raises:
        DataError: another number of columns, or bytes that are not a tuple.
    """
    values: Texts = []
    append = values.append
    if not isinstance(data, bytes):
        data = bytes(data)
    try:
        if (data[pos] << 8 | data[pos + 1]) != n:
            raise DataError(f"A row has {data[pos] << 8 | data[pos + 1]} columns, its relation has {n}")
        pos += 2
        for _ in range(n):
            kind = data[pos]
            if kind == 116:  # t: text
                start = pos + 5
                pos = start + _size_at(data, pos + 1)[0]
                append(data[start:pos].decode())
            elif kind == 110:  # n: null
                append(None)
                pos += 1
            elif kind == 117:  # u: unchanged and not sent
                append(UNCHANGED)
                pos += 1
            else:
                raise DataError(f"Unknown kind of column value {kind:#x} in a row message")
    except (IndexError, struct.error):
        raise DataError("Truncated pgoutput row message") from None
    except UnicodeDecodeError as error:
        raise DataError(f"A column value is not valid UTF-8: {error}") from None
    if pos > len(data):
        raise DataError("Truncated pgoutput row message")
    return values, pos


def decode_insert(data: Buffer, n: int) -> Texts:
    """The new tuple of an INSERT message."""
    _expect(data, 5, b"N")
    return _last(data, decode_tuple(data, 6, n))


def decode_update(data: Buffer, n: int) -> tuple[str | None, Texts | None, Texts]:
    """Kind of the old tuple (K, O or None), the old tuple, and the new tuple of an UPDATE message."""
    data = bytes(data)
    kind = data[5:6]
    old: Texts | None = None
    pos = 5
    if kind in (b"K", b"O"):
        old, pos = decode_tuple(data, 6, n)
    _expect(data, pos, b"N")
    return (kind.decode() if old is not None else None), old, _last(data, decode_tuple(data, pos + 1, n))


def decode_delete(data: Buffer, n: int) -> tuple[str, Texts]:
    """Kind of the old tuple (K or O) and the old tuple of a DELETE message."""
    kind = bytes(data[5:6])
    if kind not in (b"K", b"O"):
        raise DataError(f"A delete message has no old row but {kind!r}")
    return kind.decode(), _last(data, decode_tuple(data, 6, n))


def _expect(data: Buffer, pos: int, what: bytes) -> None:
    if data[pos : pos + 1] != what:
        raise DataError(f"Expected {what!r} at byte {pos} of a row message")


def _last(data: Buffer, decoded: tuple[Texts, int]) -> Texts:
    values, end = decoded
    if end != len(data):
        raise DataError(f"{len(data) - end} bytes too many in a row message")
    return values


def _string(data: bytes, pos: int) -> tuple[str, int]:
    end = data.find(b"\0", pos)
    if end < 0:
        raise DataError("A pgoutput message has a name without an end")
    return data[pos:end].decode(), end + 1


def _begin(data: bytes) -> Begin:
    lsn, at, xid = _BEGIN.unpack_from(data, 1)
    return Begin(lsn, at + POSTGRES_EPOCH_US, xid)


def _commit(data: bytes) -> Commit:
    flags, commit_lsn, end_lsn, at = _COMMIT.unpack_from(data, 1)
    return Commit(commit_lsn, end_lsn, at + POSTGRES_EPOCH_US, flags)


def _origin(data: bytes) -> Origin:
    (lsn,) = _U64.unpack_from(data, 1)
    return Origin(lsn, _string(data, 9)[0])


def _relation(data: bytes) -> Relation:
    (oid,) = _U32.unpack_from(data, 1)
    schema, pos = _string(data, 5)
    name, pos = _string(data, pos)
    identity = chr(data[pos])
    (n,) = _U16.unpack_from(data, pos + 1)
    pos += 3
    columns = []
    for _ in range(n):
        flags = data[pos]
        column, pos = _string(data, pos + 1)
        type_oid, typmod = _COLUMN_TAIL.unpack_from(data, pos)
        pos += 8
        columns.append(RelationColumn(flags, column, type_oid, typmod))
    # The server sends an empty schema name for pg_catalog.
    return Relation(oid, schema or "pg_catalog", name, identity, tuple(columns))


def _type(data: bytes) -> TypeMessage:
    (oid,) = _U32.unpack_from(data, 1)
    schema, pos = _string(data, 5)
    return TypeMessage(oid, schema or "pg_catalog", _string(data, pos)[0])


def _truncate(data: bytes) -> Truncate:
    n, options = _TRUNCATE.unpack_from(data, 1)
    if len(data) != 6 + 4 * n:
        raise DataError("A truncate message has the wrong length")
    return Truncate(struct.unpack_from(f">{n}I", data, 6), bool(options & 1), bool(options & 2))


def _message(data: bytes) -> LogicalMessage:
    flags, lsn = _MESSAGE.unpack_from(data, 1)
    prefix, pos = _string(data, 10)
    (size,) = _U32.unpack_from(data, pos)
    content = data[pos + 4 : pos + 4 + size]
    if len(content) != size:
        raise DataError("Truncated pgoutput message b'M'")
    return LogicalMessage(bool(flags & 1), lsn, prefix, content)


def _columns_at(data: bytes, pos: int) -> int:
    (n,) = _U16.unpack_from(data, pos)
    return int(n)


def _insert(data: bytes) -> Insert:
    return Insert(row_relation(data), decode_insert(data, _columns_at(data, 6)))


def _update(data: bytes) -> Update:
    return Update(row_relation(data), *decode_update(data, _columns_at(data, 6)))


def _delete(data: bytes) -> Delete:
    return Delete(row_relation(data), *decode_delete(data, _columns_at(data, 6)))


_DECODERS: dict[int, Callable[[bytes], Message]] = {
    BEGIN: _begin,
    COMMIT: _commit,
    ORIGIN: _origin,
    RELATION: _relation,
    TYPE: _type,
    INSERT: _insert,
    UPDATE: _update,
    DELETE: _delete,
    TRUNCATE: _truncate,
    MESSAGE: _message,
}
