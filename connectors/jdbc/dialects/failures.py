"""Data errors only SQL targets know: values a column cannot hold, and rows a unique index refuses."""

from __future__ import annotations

from replicator.api import DataError, StructuralError


class Unrepresentable(DataError):
    """The target's column has no form for this value (C22).

    Attributes:
        reason: what the value is.
        substitute: SQL literal stored instead when the policy allows it and the column refuses NULL.
        rounded: the substitute is the value itself with less precision, so it is better than NULL.
    """

    def __init__(self, reason: str, substitute: str | None = None, *, rounded: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.substitute = substitute
        self.rounded = rounded


class DuplicateKeyError(DataError):
    """A unique index refuses a row.

    Attributes:
        index: name of the index as the server says it, for example `users.email_uq`, or "".
    """

    def __init__(self, message: str, *, index: str = "") -> None:
        super().__init__(message)
        self.index = index


class AlreadyThereError(StructuralError):
    """DDL wants to make what exists."""
