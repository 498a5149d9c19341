"""Names of classes as Kafka Connect's users know them: for logs, dead letters and filters. Pure; any thread."""

from __future__ import annotations

from typing import Final

from replicator.api import errors

_EXCEPTIONS: Final[dict[type[BaseException], str]] = {
    errors.ConnectError: "org.apache.kafka.connect.errors.ConnectException",
    errors.RetriableError: "org.apache.kafka.connect.errors.RetriableException",
    errors.DataError: "org.apache.kafka.connect.errors.DataException",
    errors.NotFoundError: "org.apache.kafka.connect.errors.NotFoundException",
    errors.AlreadyExistsError: "org.apache.kafka.connect.errors.AlreadyExistsException",
    errors.IllegalStateError: "org.apache.kafka.connect.errors.IllegalWorkerStateException",
    errors.ConfigError: "org.apache.kafka.common.config.ConfigException",
}


def class_name(cls: type) -> str:
    """The Java name of a class that has one, else its own.

    An exception goes by the nearest class above it that Connect has, too, so that tools that look for
    `DataException` find ours; a plugin by its first alias with a package.
    """
    for alias in getattr(cls, "aliases", ()):
        if "." in alias:
            return str(alias)
    if issubclass(cls, errors.ConnectError):
        return next(_EXCEPTIONS[parent] for parent in cls.__mro__ if parent in _EXCEPTIONS)
    return f"{cls.__module__}.{cls.__qualname__}"
