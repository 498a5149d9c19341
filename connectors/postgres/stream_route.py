"""What becomes of the rows of one relation of the stream. Owned by the reader thread."""

from __future__ import annotations

from connectors.cdc.encoder import TableEncoder
from connectors.postgres.origins import StreamOrigin
from connectors.postgres.position import TransactionPart
from replicator.api import SourceRecord


class Route:
    """What becomes of the rows of one relation.

    Attributes:
        encoder: the relation's encoder.
        columns: number of columns in its rows.
        point: rows of transactions before this position are in the table's copy already (C1).
        name: `schema.table`.
        batch, part, origin: what the newest changes share, and the batch and transaction it was made for.
    """

    __slots__ = ("batch", "columns", "encoder", "name", "origin", "part", "point")

    origin: StreamOrigin

    def __init__(self, encoder: TableEncoder, point: int) -> None:
        self.encoder = encoder
        self.columns = len(encoder.table.columns)
        self.point = point
        self.name = encoder.table.full_name
        self.batch: list[SourceRecord] | None = None
        self.part: TransactionPart | None = None
