"""Stores for configurations, offsets and states."""

from replicator.storage.base import (
    ConfigListener,
    ConfigState,
    ConfigStore,
    OffsetStore,
    RestartRequest,
    SessionKey,
    StatusStore,
)
from replicator.storage.config_store import TopicConfigStore
from replicator.storage.file import FileOffsetStore
from replicator.storage.memory import MemoryConfigStore
from replicator.storage.offset_store import TopicOffsetStore
from replicator.storage.states import ConnectorStatus, State, TargetState, TaskStatus, TopicStatus
from replicator.storage.status_store import TopicStatusStore

__all__ = [
    "ConfigListener",
    "ConfigState",
    "ConfigStore",
    "ConnectorStatus",
    "FileOffsetStore",
    "MemoryConfigStore",
    "OffsetStore",
    "RestartRequest",
    "SessionKey",
    "State",
    "StatusStore",
    "TargetState",
    "TaskStatus",
    "TopicConfigStore",
    "TopicOffsetStore",
    "TopicStatus",
    "TopicStatusStore",
]
