"""Reading change events: operations, and what is in an envelope.

Pure functions; writing is the encoder's. Consumers go by field names, so an envelope of another source or
an older version is understood as well.
"""

from __future__ import annotations

from typing import Any, Final

from replicator.api import Schema, Struct

CREATE: Final = "c"
UPDATE: Final = "u"
DELETE: Final = "d"
READ: Final = "r"
TRUNCATE: Final = "t"
MESSAGE: Final = "m"


def is_envelope(schema: Schema | None) -> bool:
    """Whether a value schema is that of change events (also of truncates and logical messages)."""
    return schema is not None and schema.field("op") is not None and schema.field("source") is not None


def operation(value: Any) -> str | None:
    """The operation of a change event, or None when the value is not one."""
    if not isinstance(value, Struct) or not is_envelope(value.schema):
        return None
    op = value.fields.get("op")
    return op if isinstance(op, str) else None


def row(value: Struct) -> Struct | None:
    """The row an event speaks of: `after`, or for a delete `before`."""
    name = "before" if value.fields.get("op") == DELETE else "after"
    found = value.get(name) if value.schema.field(name) is not None else None
    return found if isinstance(found, Struct) else None
