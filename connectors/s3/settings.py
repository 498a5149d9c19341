"""What the options mean for a partition's writer, worked out once. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from connectors.s3.classes import FORMATS, named
from connectors.s3.formats import Format, format_of
from connectors.s3.options import DEFAULT_FLUSH, DEFAULT_IDLE_MS
from connectors.s3.partitioners import Partitioner, partitioner_of, zone_of
from replicator.api import ConfigError


class Settings:
    """Everything a PartitionWriter asks."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.partitioner: Partitioner = partitioner_of(options)
        _check_compression(options)
        self.values: Format = format_of(options["format.class"], options)
        self.keys = self._beside("keys", options)
        self.headers = self._beside("headers", options)
        self.interval: int = options["rotate.interval.ms"]
        self.schedule: int = options["rotate.schedule.interval.ms"]
        self.flush_size: int = options["flush.size"] or DEFAULT_FLUSH
        self.zone: dt.tzinfo = dt.UTC
        if self.schedule > 0:
            self.zone = zone_of(options["timezone"], "rotate.schedule.interval.ms")
        elif options["flush.size"] is None and self.interval <= 0:
            # Nobody said when a file is complete: somebody who waits for one should see it soon.
            self.schedule = DEFAULT_IDLE_MS
        self.compatibility: str = options["schema.compatibility"]
        self.part_size: int = options["s3.part.size"]
        self.on_null: str = options["behavior.on.null.values"].lower()
        self.tombstones: str = options["tombstone.encoded.partition"]
        if self.on_null == "write" and self.keys is None:
            raise ConfigError(
                "Writing Kafka record keys to storage is mandatory when tombstone writing is enabled.",
                option="store.kafka.keys",
            )
        self.tagging: bool = options["s3.object.tagging"]
        self.tagging_fails: bool = options["s3.object.behavior.on.tagging.error"].lower() == "fail"
        pairs = options["s3.object.tagging.key.value.pairs"] or ()
        self.tags: dict[str, str] = dict(pair.split(":", 1) for pair in pairs if ":" in pair)
        self._folder: str = options["topics.dir"]
        self._slash: str = options["directory.delim"]
        self._plus: str = options["file.delim"]
        self._width: int = options["filename.offset.zero.pad.width"]

    @staticmethod
    def _beside(what: str, options: Mapping[str, Any]) -> Format | None:
        return format_of(options[f"{what}.format.class"], options) if options[f"store.kafka.{what}"] else None

    def directory(self, topic: str, encoded: str) -> str:
        """The directory of objects."""
        below = f"{topic}{self._slash}{encoded}"
        return f"{self._folder}{self._slash}{below}" if self._folder else below

    def stem(self, directory: str, topic: str, partition: int, offset: int) -> str:
        """An object's name without its extension."""
        name = f"{topic}{self._plus}{partition}{self._plus}{offset:0{self._width}d}"
        return f"{directory}{self._slash}{name}"

    def next_rotation(self, now: int) -> int:
        """When the schedule rotates next: whole intervals after local midnight."""
        moment = dt.datetime.fromtimestamp(now / 1000, self.zone)
        midnight = int(moment.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
        return midnight + ((now - midnight) // self.schedule + 1) * self.schedule


def _check_compression(options: Mapping[str, Any]) -> None:
    """Only JSON and bytes are compressed as a whole.

    Raises:
        ConfigError: another format is to be.
    """
    kind = options["s3.compression.type"].lower()
    if kind == "none":
        return
    for what, name in (
        ("data", "format.class"),
        ("keys", "keys.format.class"),
        ("headers", "headers.format.class"),
    ):
        used = what == "data" or options[f"store.kafka.{what}"]
        if used and named(options[name], FORMATS) not in ("json", "bytearray"):
            raise ConfigError(
                f"Compression Type {kind} not valid for {what} format class: ( {options[name]} ).",
                option=name,
            )
