"""The herder as REST and the command line see it; `views` has what it answers with.

Every method may be called from any thread. Errors are those of `replicator.api.errors`:
NotFoundError (404), AlreadyExistsError (409), BadRequestError and ConfigError (400),
IllegalStateError (409), other ConnectErrors (500).
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from replicator.api.errors import ConnectError, IllegalStateError
from replicator.herder.views import (
    ConnectorInfo,
    ConnectorStatus,
    Health,
    PluginInfo,
    TaskInfo,
    TaskProgress,
    TaskState,
)


class NotLeaderError(IllegalStateError):
    """Another worker must answer this request (distributed workers only); 409 when it cannot be forwarded.

    Attributes:
        forward_url: base URL of the worker to ask (the leader, or the owner of a task), or None when unknown.
    """

    def __init__(self, message: str, forward_url: str | None) -> None:
        super().__init__(message)
        self.forward_url = forward_url or None


class RefusedError(ConnectError):
    """Refused with this HTTP status: 403 when a signature is wrong or a feature is off, 503 when it is too early."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Signature(NamedTuple):
    """Signature of a request between workers: algorithm (Java's name), signature, and the bytes signed.

    Headers: `X-Connect-Request-Signature-Algorithm` and `X-Connect-Authorization` (base64).
    """

    algorithm: str | None
    signature: str | None
    body: bytes


class Herder(Protocol):
    """Owner of connectors."""

    def cluster_id(self) -> str:
        """Identity of the Kafka cluster or embedded log."""
        ...

    def health(self) -> Health:
        """For GET /health."""
        ...

    def connectors(self) -> list[str]:
        """Names, sorted."""
        ...

    def connector_info(self, name: str) -> ConnectorInfo:
        """Raises NotFoundError."""
        ...

    def connector_config(self, name: str) -> dict[str, str]:
        """The stored, unresolved configuration."""
        ...

    def connector_status(self, name: str) -> ConnectorStatus:
        """Raises NotFoundError."""
        ...

    def task_status(self, name: str, task: int) -> TaskState:
        """Raises NotFoundError."""
        ...

    def progress(self, name: str) -> list[TaskProgress]:
        """Live facts of a connector's tasks."""
        ...

    def put_connector_config(
        self,
        name: str,
        config: Mapping[str, str | None],
        *,
        initial_state: str | None = None,
        allow_replace: bool = True,
    ) -> tuple[bool, ConnectorInfo]:
        """Create or replace; the flag says whether it was created.

        Raises:
            BadRequestError: the configuration is invalid (text as Connect writes it).
            AlreadyExistsError: the name is taken and `allow_replace` is False.
        """
        ...

    def patch_connector_config(self, name: str, patch: Mapping[str, str | None]) -> ConnectorInfo:
        """Change some options; None removes one."""
        ...

    def delete_connector(self, name: str) -> None:
        """Forget it; offsets, group and topics stay."""
        ...

    def pause_connector(self, name: str) -> None:
        """Target state PAUSED."""
        ...

    def resume_connector(self, name: str) -> None:
        """Target state STARTED."""
        ...

    def stop_connector(self, name: str) -> None:
        """Target state STOPPED: no tasks."""
        ...

    def restart_connector(
        self, name: str, *, include_tasks: bool = False, only_failed: bool = False
    ) -> ConnectorStatus:
        """Restart in place; answers with the affected parts shown RESTARTING."""
        ...

    def restart_task(self, name: str, task: int) -> None:
        """Restart one task."""
        ...

    def signal(self, name: str, kind: str, data: Mapping[str, Any]) -> None:
        """Pass a request on to the connector's running tasks (own; not part of Connect's REST).

        Raises:
            NotFoundError: there is no such connector.
            IllegalStateError: a task of it does not run.
            BadRequestError: the tasks know no such request, or its parameters are wrong.
        """
        ...

    def task_infos(self, name: str) -> list[TaskInfo]:
        """Stored task configurations."""
        ...

    def active_topics(self, name: str) -> list[str]:
        """Topics the connector used; empty for an unknown one."""
        ...

    def reset_active_topics(self, name: str) -> None:
        """Forget them."""
        ...

    def connector_offsets(self, name: str) -> list[dict[str, Any]]:
        """`[{"partition": {...}, "offset": {...}}]`."""
        ...

    def alter_offsets(self, name: str, offsets: Sequence[Mapping[str, Any]]) -> str:
        """Change offsets given in the form of `connector_offsets`; answers with Connect's message."""
        ...

    def reset_offsets(self, name: str) -> str:
        """Remove all offsets; answers with Connect's message."""
        ...

    def plugins(self, *, connectors_only: bool = True) -> list[PluginInfo]:
        """Known plugins, in Connect's order."""
        ...

    def plugin_config(self, plugin: str, version: str | None = None) -> list[dict[str, Any]]:
        """ConfigKeyInfo of a plugin's options; BadRequestError when it has another version than the wanted one."""
        ...

    def validate(self, plugin: str, config: Mapping[str, str | None]) -> dict[str, Any]:
        """ConfigInfos for PUT /connector-plugins/{plugin}/config/validate."""
        ...


class ClusterHerder(Herder, Protocol):
    """What a distributed herder can do besides. Any method of it may raise NotLeaderError.

    Attributes:
        peer_tls: how to speak to workers with https addresses, None for what the system trusts; settable.
        on_logger_level: called with (logger, level) when a level is set for the whole group; settable.
    """

    peer_tls: ssl.SSLContext | None
    on_logger_level: Callable[[str, str], None]

    def put_task_configs(self, name: str, configs: Sequence[Mapping[str, str]], signature: Signature) -> None:
        """POST /connectors/X/tasks (between workers): publish a connector's task configurations.

        Raises:
            BadRequestError: the signature is missing or malformed.
            RefusedError: it is wrong (403), or there is no session key yet (503).
        """
        ...

    def fence_zombies(self, name: str, signature: Signature) -> None:
        """PUT /connectors/X/fence (between workers): fence the transactional producers of former tasks.

        Raises:
            BadRequestError: the signature is missing or malformed.
            RefusedError: it is wrong (403), or there is no session key yet (503).
        """
        ...

    def worker_leaves(self, member: str, signature: Signature) -> None:
        """PUT /replicator/departures (between workers; own): a group member has drained and leaves on purpose.

        Its work is assigned anew at once, without `scheduled.rebalance.max.delay.ms`.

        Raises:
            BadRequestError: the signature is missing or malformed.
            RefusedError: it is wrong (403), or there is no session key yet (503).
        """
        ...

    def set_cluster_logger_level(self, namespace: str, level: str) -> None:
        """PUT /admin/loggers/L?scope=cluster: set a logger's level on every worker."""
        ...
