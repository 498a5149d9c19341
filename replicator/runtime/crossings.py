"""Records that a topic of several partitions cannot carry in order (C13); task thread, only for rare records.

A truncate concerns every partition; a changed key moves a row from one partition to another. Either would be applied
out of order with the changes around it, so the task stops and says what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from replicator.api.errors import ConnectError
from replicator.api.logical import NEW_KEY_HEADER, OLD_KEY_HEADER
from replicator.api.position import WHOLE_TOPIC_HEADER
from replicator.broker.message import NewMessage
from replicator.broker.partitioner import partition_for_key

DELICATE = frozenset({NEW_KEY_HEADER, OLD_KEY_HEADER, WHOLE_TOPIC_HEADER})
"""Headers of records that have to be looked at."""

_HINT = "Give the topic one partition (topic.creation.default.partitions=1) and copy its table again."


def check_crossings(messages: Sequence[NewMessage], partitions: Callable[[str], int]) -> None:
    """Refuse what cannot be delivered in order; `partitions` tells how many a topic has.

    Raises:
        ConnectError: a truncate, or a key that changes its partition, in a topic of several partitions.
    """
    left: dict[str, int] = {}
    for message in messages:
        for name, _ in message.headers or ():
            if name not in DELICATE or partitions(message.topic) <= 1:
                continue
            topic = message.topic
            if name == WHOLE_TOPIC_HEADER:
                raise ConnectError(
                    f"{topic} has {partitions(topic)} partitions: a truncate cannot be kept in order with their rows.",
                    hint=_HINT,
                )
            place = _place(message, partitions(topic))
            if name == NEW_KEY_HEADER:
                left[topic] = place
            elif topic in left and left.pop(topic) != place:
                raise ConnectError(
                    f"{topic} has {partitions(topic)} partitions: a row whose key changes would be deleted in one and"
                    " created in another, in no order.",
                    hint=_HINT,
                )


def _place(message: NewMessage, count: int) -> int:
    if message.partition is not None or message.key is None:
        return message.partition or 0
    return partition_for_key(message.key, count)
