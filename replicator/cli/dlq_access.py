"""Ways to dead letter queues: a running worker's REST API, Kafka, or the embedded log of a stopped worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final, Protocol

from replicator.api.errors import BrokerError, ConfigError, ConnectError
from replicator.broker.base import Broker
from replicator.cli import pipeline
from replicator.cli.connect_client import ConnectClient, Endpoint
from replicator.runtime.letter_box import LetterBox
from replicator.runtime.letters import LetterFilter

_PAGE: Final = 500
"""Letters asked for at once."""


class Queues(Protocol):
    """What the commands need; answers are plain JSON values."""

    def queues(self) -> list[dict[str, Any]]:
        """All queues."""
        ...

    def letters(self, queue: str, chosen: LetterFilter, limit: int) -> Iterator[dict[str, Any]]:
        """The oldest letters, one after the other."""
        ...

    def replay(
        self, queue: str, chosen: LetterFilter, *, to: str | None, superseded: bool, dry_run: bool
    ) -> dict[str, Any]:
        """Append them again; see LetterBox."""
        ...

    def purge(self, queue: str, chosen: LetterFilter, *, dry_run: bool) -> int:
        """Take them out of sight."""
        ...


class OfBroker:
    """Queues of a broker opened by this process."""

    def __init__(self, broker: Broker) -> None:
        self._box = LetterBox(broker)

    def queues(self) -> list[dict[str, Any]]:
        return self._box.queues()

    def letters(self, queue: str, chosen: LetterFilter, limit: int) -> Iterator[dict[str, Any]]:
        return (found.to_json() for found in islice(self._box.letters(queue, chosen), limit))

    def replay(
        self, queue: str, chosen: LetterFilter, *, to: str | None, superseded: bool, dry_run: bool
    ) -> dict[str, Any]:
        outcome = self._box.replay(queue, chosen, to=to, superseded=superseded, dry_run=dry_run)
        return outcome.to_json()

    def purge(self, queue: str, chosen: LetterFilter, *, dry_run: bool) -> int:
        return self._box.purge(queue, chosen, dry_run=dry_run)


class OfWorker:
    """Queues of a running worker of ours."""

    def __init__(self, client: ConnectClient) -> None:
        self._client = client

    def queues(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._client.get("replicator", "dlq")
        return found

    def letters(self, queue: str, chosen: LetterFilter, limit: int) -> Iterator[dict[str, Any]]:
        query = {name: str(value) for name, value in chosen.to_json().items()}
        behind: dict[int, int] = {}
        while limit > 0:
            size = min(limit, _PAGE)
            start = {"start": ",".join(f"{p}:{o}" for p, o in behind.items())} if behind else {}
            found: list[dict[str, Any]] = self._client.get(
                "replicator", "dlq", queue, limit=str(size), **start, **query
            )
            yield from found
            if len(found) < size:
                return
            behind |= {letter["partition"]: letter["offset"] + 1 for letter in found}
            limit -= size

    def replay(
        self, queue: str, chosen: LetterFilter, *, to: str | None, superseded: bool, dry_run: bool
    ) -> dict[str, Any]:
        body = {"filter": chosen.to_json(), "to": to, "superseded": superseded, "dry_run": dry_run}
        found: dict[str, Any] = (
            self._client.call("POST", "replicator", "dlq", queue, "replay", body=body) or {}
        )
        return found

    def purge(self, queue: str, chosen: LetterFilter, *, dry_run: bool) -> int:
        body = {"filter": chosen.to_json(), "dry_run": dry_run}
        found = self._client.call("POST", "replicator", "dlq", queue, "purge", body=body) or {}
        return int(found["purged"])


@contextmanager
def opened(
    endpoint: Endpoint | None,
    *,
    worker: Path | None,
    data_dir: Path | None,
    name: str | None,
    writing: bool,
) -> Iterator[Queues]:
    """The queues, by what the user gave: a URL, a worker's file, a folder, or the name of a pipeline.

    Raises:
        ConfigError: that says nothing, or too much.
        BrokerError: the folder belongs to a running process that cannot be asked.
    """
    if endpoint is not None:
        with _worker(endpoint) as queues:
            yield queues
    elif worker is not None:
        with _broker_of(worker, writing=writing) as queues:
            yield queues
    else:
        with _embedded(_folder(data_dir, name), writing=writing) as queues:
            yield queues


@contextmanager
def _worker(endpoint: Endpoint) -> Iterator[Queues]:
    client = ConnectClient(endpoint)
    try:
        yield OfWorker(client)
    finally:
        client.close()


@contextmanager
def _broker_of(file: Path, *, writing: bool) -> Iterator[Queues]:
    """The broker that a worker's file names."""
    from replicator.config.files import read_options
    from replicator.config.providers import Resolver
    from replicator.config.worker import WorkerConfig
    from replicator.service import open_broker

    raw = read_options(file)
    config = WorkerConfig(Resolver.of_worker(raw).resolve(raw))
    if not config.kafka and config.data_dir is not None:
        with _embedded(config.data_dir, writing=writing) as queues:
            yield queues
        return
    broker = open_broker(config)
    try:
        yield OfBroker(broker)
    finally:
        broker.close()


@contextmanager
def _embedded(folder: Path, *, writing: bool) -> Iterator[Queues]:
    from replicator.broker.embedded import EmbeddedBroker

    if not (folder / "log.db").exists():
        raise ConfigError(f"There is no topic log in {folder}.", hint="Give --data-dir, --worker or --url.")
    try:
        broker = EmbeddedBroker(folder, read_only=not writing, maintenance=False)
    except BrokerError as error:
        known = pipeline.load(folder)
        if known is None or known.port is None:
            hint = "Give the address of the running worker's REST API with --url."
            raise BrokerError(error.message, hint=hint) from None
        with _worker(Endpoint(url=f"http://127.0.0.1:{known.port}")) as queues:
            yield queues
        return
    try:
        yield OfBroker(broker)
    finally:
        broker.close()


def _folder(data_dir: Path | None, name: str | None) -> Path:
    """The folder given, or that of the only pipeline."""
    base = data_dir or pipeline.default_base()
    if (base / "log.db").exists():
        return base
    found = [p for p in pipeline.find_all(base) if name in (None, p.name)]
    if len(found) == 1:
        return found[0].path
    if not found:
        called = f" called {name}" if name else ""
        raise ConfigError(
            f"There is no pipeline{called} in {base}.", hint="Give --data-dir, --worker FILE or --url."
        )
    raise ConnectError(
        f"There are several pipelines: {', '.join(p.name for p in found)}.", hint="Give --name."
    )
