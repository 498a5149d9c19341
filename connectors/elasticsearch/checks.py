"""What the options need of each other, in the words of Confluent's connector. Pure; any thread."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from replicator.api import ConfigError

_MAPPING: Final = "topic.to.external.resource.mapping"
_USAGE: Final = "external.resource.usage"


def check_together(options: Mapping[str, Any]) -> None:
    """Check options that are good by themselves.

    Raises:
        ConfigError: the first that does not go with another.
    """
    for option, problem in _problems(options):
        raise ConfigError(problem, option=option)


def check_topics(options: Mapping[str, Any], topics: Collection[str]) -> None:
    """Check that the topics are those that resources are named for.

    Raises:
        ConfigError: one is missing, or one too many.
    """
    mapped = resources(options)
    if not mapped or not topics:
        return
    for topic in topics:
        if topic not in mapped:
            raise ConfigError(
                f"Topic '{topic}' is not mapped to any resource. All configured topics must be mapped to a resource.",
                option=_MAPPING,
            )
    for topic in mapped:
        if topic not in topics:
            raise ConfigError(
                f"Topic '{topic}' is mapped but not configured. All mapped topics must be configured topics.",
                option=_MAPPING,
            )


def resources(options: Mapping[str, Any]) -> dict[str, str]:
    """Existing resources by the topics that go there.

    Raises:
        ConfigError: a pair is malformed, or one of its ends has another.
    """
    found: dict[str, str] = {}
    for pair in options[_MAPPING] or ():
        topic, resource = [part.strip() for part in pair.split(":")] if pair.count(":") == 1 else ("", "")
        if not topic or not resource:
            raise _wrong(
                pair, "Invalid topic-to-resource mapping format. The expected format: topic:resource"
            )
        if topic in found:
            raise _wrong(
                pair,
                f"Topic '{topic}' is mapped to multiple resources. Each topic must be mapped to exactly one resource.",
            )
        if resource in found.values():
            raise _wrong(
                pair,
                f"Resource '{resource}' is mapped from multiple topics."
                " Each resource must be mapped to exactly one topic.",
            )
        found[topic] = resource
    most = options["max.external.resource.mappings"]
    if len(found) > most:
        raise _wrong(
            str(options[_MAPPING]),
            f"Too many topic-to-external-resource mappings are configured ({len(found)})."
            f" Maximum allowed limit is {most}.",
        )
    return found


def _wrong(value: str, why: str) -> ConfigError:
    return ConfigError(f"Invalid value {value} for configuration {_MAPPING}: {why}", option=_MAPPING)


def _problems(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _accounts(options)
    yield from _resource_problems(options)
    yield from _data_streams(options)
    for what in ("key", "schema"):
        if options[f"{what}.ignore"] and options[f"topic.{what}.ignore"]:
            yield f"{what}.ignore", f"'topic.{what}.ignore' can not be set if '{what}.ignore' is true."
    linger, flush = options["linger.ms"], options["flush.timeout.ms"]
    if linger > flush:
        yield "linger.ms", f"'linger.ms' ({linger}) can not be larger than 'flush.timeout.ms' ({flush})."
    buffered, batch = options["max.buffered.records"], options["batch.size"]
    flying = options["max.in.flight.requests"]
    if buffered < batch * flying:
        yield (
            "max.buffered.records",
            f"'max.buffered.records' ({buffered}) must be larger than or equal to 'batch.size' ({batch}) x "
            f"max.in.flight.requests ({flying}).",
        )


def _accounts(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if (options["connection.username"] is None) != (options["connection.password"] is None):
        yield "connection.username", "Both 'connection.username' and 'connection.password' must be set."
    host, user, password = options["proxy.host"], options["proxy.username"], options["proxy.password"]
    for name, given in (("proxy.username", bool(user)), ("proxy.password", password is not None)):
        if given and not host:
            yield name, f"'proxy.host' must be set to use '{name}'."
    if host and bool(user) != (password is not None):
        yield "proxy.username", "Either both or neither 'proxy.username' and 'proxy.password' can be set."


def _resource_problems(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    mapped = bool(options[_MAPPING])
    if (options[_USAGE].upper() != "DISABLED") != mapped:
        yield (
            _USAGE if mapped else _MAPPING,
            f"Invalid configuration: {_USAGE} and {_MAPPING} must be configured together."
            " Either both must be set, or both must be empty.",
        )
    if mapped and (_is_stream_type(options) or options["data.stream.dataset"]):
        yield (
            _MAPPING,
            f"Resource mapping mode and data stream configs are mutually exclusive. When using {_MAPPING}, data stream"
            " configs (data.stream.type, data.stream.dataset) must not be set.",
        )


def _data_streams(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if _is_stream_type(options) != bool(options["data.stream.dataset"]):
        yield (
            "data.stream.type",
            "Either both or neither 'data.stream.dataset' and 'data.stream.type' must be set.",
        )
    upserts = options["write.method"].upper() == "UPSERT"
    if not _is_stream_type(options) and not options[_USAGE].upper().endswith("DATASTREAM"):
        if options["data.stream.timestamp.field"]:
            yield (
                "data.stream.timestamp.field",
                "Mapping a field to the '@timestamp' field is only necessary when working with data streams."
                " 'data.stream.timestamp.field' must not be set when not using data streams.",
            )
        if upserts and options["use.autogenerated.ids"]:
            yield "use.autogenerated.ids", "Upserts need ids: use.autogenerated.ids cannot be set"
        return
    if upserts:
        yield (
            "write.method",
            "Upserts are not supported with data streams. write.method must not be UPSERT when using data streams.",
        )
    if options["behavior.on.null.values"].upper() == "DELETE":
        yield (
            "behavior.on.null.values",
            "Deletes are not supported with data streams. behavior.on.null.values must not be DELETE when using data"
            " streams.",
        )


def _is_stream_type(options: Mapping[str, Any]) -> bool:
    return bool(options["data.stream.type"].upper() != "NONE")
