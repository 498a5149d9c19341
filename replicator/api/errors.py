"""Every exception of the service; the class decides what the runtime does.

```
ConnectError                 the task fails, an operator must look
  RetriableError             the same call may succeed later: it is made again, with backoff
  DataError                  this record is wrong: errors.tolerance and the dead letter queue decide
    SchemaError              value and schema do not fit
  StructuralError            a table or column is missing or does not fit: evolve, or stop the table
  ConfigError                the user must change an option; names it
  PositionLostError          the log no longer holds our position: a new copy is needed
  FencedError                another task owns this work now: stop without writing
  BrokerError                the topic log refused
    DiskFullError            no space for the topic log
  NotFoundError              REST 404
  AlreadyExistsError         REST 409
  BadRequestError            REST 400
  IllegalStateError          REST 409/500: not possible in the present state
```

Drivers' exceptions never leave the module that talks to the driver: each driver has one
translation table from SQLSTATE or errno to these classes (INV-6).
"""

from __future__ import annotations

import threading


class ConnectError(Exception):
    """The task fails. `hint` tells the operator what to do next."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        if not self.hint:
            return self.message
        end = "" if self.message.endswith((".", "!", "?", ":")) else "."
        return f"{self.message}{end} {self.hint}"


class RetriableError(ConnectError):
    """The same call may succeed later."""


class DataError(ConnectError):
    """One record cannot be handled; the others can."""


class SchemaError(DataError):
    """A value does not fit its schema."""


class StructuralError(ConnectError):
    """A table or column is missing, or cannot hold the data."""


class ConfigError(ConnectError):
    """An option is wrong.

    Attributes:
        option: name of the option the user must change, if one is to blame.
    """

    def __init__(self, message: str, *, option: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.option = option


class PositionLostError(ConnectError):
    """The source's log no longer holds the stored position."""


class FencedError(ConnectError):
    """Another owner took over; nothing may be written any more (INV-10)."""


class BrokerError(ConnectError):
    """The topic log refused an operation."""


class DiskFullError(BrokerError):
    """There is no space left for the topic log.

    Attributes:
        room: set as soon as there may be space again; None when nobody looks.
    """

    def __init__(self, message: str, *, hint: str | None = None, room: threading.Event | None = None) -> None:
        super().__init__(message, hint=hint)
        self.room = room


class NotFoundError(ConnectError):
    """No such connector, task, topic or plugin."""


class AlreadyExistsError(ConnectError):
    """The name is taken."""


class BadRequestError(ConnectError):
    """The request cannot be understood or is not allowed."""


class IllegalStateError(ConnectError):
    """The operation is not possible in the present state."""
