"""Looks after the consumer groups of a worker's sink connectors.

Members are static, so that tasks that move take their partitions along (C28). But a member that is gone for good would
keep its partitions until its session ends, and one that comes back with other topics would get the old ones: `leave`
removes such members (whoever stopped their tasks calls it).

The coordinator answers a static member that comes back with its former share, without a new round; when the member
went away in the middle of handing partitions over, nobody reads these afterwards, although every task runs. A thread
of its own looks for that: seen twice in a row, the group is made to share anew, by removing one of its members. Its
consumer joins again at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from replicator.api.errors import ConnectError
from replicator.api.record import TopicPartition
from replicator.api.sink import SinkTask
from replicator.broker.admin import Admin
from replicator.config.sink_topics import topic_pattern
from replicator.runtime.assembly import WorkerParts, sink_group
from replicator.runtime.worker import TaskHandle

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 5.0
AGAIN_SECONDS: Final = 2.0
"""Until the second look at partitions that nobody reads; a round that is under way ends sooner."""


def leave(parts: WorkerParts, ended: Iterable[TaskHandle]) -> None:
    """Let tasks that will not run again like this give up their membership; sources have none."""
    leaving: dict[str, list[TaskHandle]] = {}
    for handle in ended:
        if issubclass(handle.spec.task_class, SinkTask):
            leaving.setdefault(handle.spec.connector, []).append(handle)
    for connector, handles in leaving.items():
        try:
            group = sink_group(connector, parts.resolver.resolve(handles[0].spec.config))
            parts.broker.admin().release_static_members(group, [handle.spec.name for handle in handles])
        except ConnectError as error:
            log.warning("Members of the group of %s end only with their session: %s", connector, error)


class SinkGroups:
    """See the module."""

    def __init__(
        self,
        admin: Callable[[], Admin],
        sinks: Callable[[], Mapping[str, Mapping[str, str]]],
        resolve: Callable[[Mapping[str, str]], dict[str, str]],
    ) -> None:
        """Prepare.

        Args:
            admin: of the broker.
            sinks: configurations of the started sink connectors that this worker has to look after.
            resolve: replaces placeholders.
        """
        self._admin = admin
        self._sinks = sinks
        self._resolve = resolve
        self._seen: dict[str, set[TopicPartition]] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sink-groups", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(5.0)

    def _run(self) -> None:
        while not self._stopping.wait(AGAIN_SECONDS if any(self._seen.values()) else LOOK_SECONDS):
            try:
                self.look()
            except ConnectError as error:
                self._seen = {}  # what was seen before Kafka went away says nothing of the time after
                log.info("The consumer groups of sinks cannot be looked at: %s", error)

    def look(self) -> None:
        """One look at every group."""
        sinks = self._sinks()
        self._seen = {name: found for name, found in self._seen.items() if name in sinks}
        for name, config in sinks.items():
            resolved = self._resolve(config)
            group = sink_group(name, resolved)
            unread = self._unread(group, resolved)
            lasting = unread & self._seen.get(name, set())
            self._seen[name] = unread
            if lasting:
                log.warning(
                    "%s: nobody reads %s; its group shares anew.",
                    name, ", ".join(f"{tp.topic}-{tp.partition}" for tp in sorted(lasting)),
                )  # fmt: skip
                self._admin().release_static_members(group, [f"{name}-0"])
                self._seen[name] = set()

    def _unread(self, group: str, config: Mapping[str, str]) -> set[TopicPartition]:
        read = self._admin().assigned_partitions(group)
        if read is None:
            return set()
        regex, topics = config.get("topics.regex"), {t.strip() for t in config.get("topics", "").split(",")}
        wanted = topic_pattern(regex).match if regex else topics.__contains__
        return {
            TopicPartition(name, number)
            for name, topic in self._admin().topics().items()
            if wanted(name)
            for number in range(topic.partitions)
        } - read
