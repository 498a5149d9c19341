"""What kafka-python logs, without secrets: at DEBUG it writes all it sends, and passwords are sent. Any thread."""

from __future__ import annotations

import logging
from typing import Final

_LOGGERS: Final = ("kafka.protocol.parser", "kafka.net.connection")
# Raw bytes of requests and answers, of logins among them; the requests themselves are told of in another line.
_RAW: Final = ("%s Send: %r", "%s Recv: %r")


class WithoutLogins(logging.Filter):
    """Lets no line through that holds a request or an answer of a login, or bytes of any."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log it."""
        if record.msg in _RAW:
            return False
        arguments = record.args if isinstance(record.args, tuple) else ()
        return not any(type(argument).__name__.startswith("Sasl") for argument in arguments)


_FILTER: Final = WithoutLogins()


def hide_logins() -> None:
    """From now on; once is enough."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
