"""Transformations and predicates: one record in, one or none out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from replicator.api.config import ConfigDef
from replicator.api.record import ConnectRecord


class Transformation:
    """A single message transform. Constructed without arguments, configured once, task thread only."""

    aliases: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def config_def(cls) -> ConfigDef:
        """The transform's options."""
        return ConfigDef()

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take the options (prefix already removed)."""

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        """The record to pass on, or None to drop it.

        Raises:
            DataError: the record does not have the needed shape.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Release resources."""


class Predicate:
    """Decides whether a transform applies to a record."""

    aliases: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def config_def(cls) -> ConfigDef:
        """The predicate's options."""
        return ConfigDef()

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take the options (prefix already removed)."""

    def test(self, record: ConnectRecord) -> bool:
        """Whether the predicate holds."""
        raise NotImplementedError

    def close(self) -> None:
        """Release resources."""
