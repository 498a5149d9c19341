"""What users change in a group: configurations, wanted states, offsets. Any thread.

Most of it only the leader writes; a follower answers NotLeaderError with the leader's address, and REST forwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from replicator.api.errors import AlreadyExistsError, BadRequestError
from replicator.herder.cluster_reads import ClusterReads
from replicator.herder.naming import initial_target, with_name
from replicator.herder.offset_changes import OffsetChanges
from replicator.herder.validation import Validator
from replicator.herder.views import ConnectorInfo
from replicator.storage.states import TargetState


class ClusterWrites(ClusterReads):
    """Changes that users ask for."""

    validator: Validator

    def put_connector_config(
        self,
        name: str,
        config: Mapping[str, str | None],
        *,
        initial_state: str | None = None,
        allow_replace: bool = True,
    ) -> tuple[bool, ConnectorInfo]:
        """Create or replace a connector; the leader does."""
        named = with_name(name, config)
        target = initial_target(initial_state)
        self._standing.lead()
        stored = self._checked(name, named)
        with self._standing.leading():
            created = name not in self._views.state.connectors
            if not created and not allow_replace:
                raise AlreadyExistsError(f"Connector {name} already exists")
            self._configs.put_connector(name, stored, None if target is None else TargetState(target))
            return created, self._views.info(name)

    def _checked(self, name: str, config: Mapping[str, str | None]) -> dict[str, str]:
        """A valid configuration as it is stored; may take long, as validation asks databases."""
        self.validator.check(config)
        self._check_group(name, config)
        return {option: str(value) for option, value in config.items()}

    def _check_group(self, name: str, config: Mapping[str, str | None]) -> None:
        """A sink's consumers must not share the workers' own group."""
        group = config.get("consumer.override.group.id") or f"connect-{name}"
        if group == self._member.options.group:
            raise BadRequestError(
                "Connector configuration is invalid and contains the following 1 error(s):\n"
                f"Consumer group {group} conflicts with Connect worker group {group}\n"
                "You can also find the above list of errors at the endpoint"
                " `/connector-plugins/{connectorType}/config/validate`"
            )

    def patch_connector_config(self, name: str, patch: Mapping[str, str | None]) -> ConnectorInfo:
        """Change some options."""
        self._standing.lead()
        while True:
            before = self._views.config(name)
            merged: dict[str, str | None] = {**before, **patch}
            stored = self._checked(name, with_name(name, {o: v for o, v in merged.items() if v is not None}))
            with self._standing.leading():
                if self._views.config(name) == before:
                    self._configs.put_connector(name, stored)
                    return self._views.info(name)

    def delete_connector(self, name: str) -> None:
        """Forget a connector; its owner stops it."""
        with self._standing.leading():
            self._views.config(name)
            self._configs.remove_connector(name)

    # Target states

    def pause_connector(self, name: str) -> None:
        """PAUSED; any worker may answer."""
        self._put_target(name, TargetState.PAUSED)

    def resume_connector(self, name: str) -> None:
        """STARTED; any worker may answer."""
        self._put_target(name, TargetState.STARTED)

    def _put_target(self, name: str, target: TargetState) -> None:
        self._standing.started()
        self._known(name)
        self._configs.put_target(name, target)

    def stop_connector(self, name: str) -> None:
        """STOPPED: no tasks."""
        with self._standing.leading():
            self._known(name)
            # Tasks first: a running connector without tasks does less harm than a stopped one with some.
            self._configs.put_tasks(name, [])
            self._configs.put_target(name, TargetState.STOPPED)

    # Offsets

    def alter_offsets(self, name: str, offsets: Sequence[Mapping[str, Any]]) -> str:
        """Change offsets of a stopped connector."""
        with self._standing.leading():
            return self._stopped(name).alter(offsets)

    def reset_offsets(self, name: str) -> str:
        """Remove the offsets of a stopped connector."""
        with self._standing.leading():
            return self._stopped(name).reset()

    def _stopped(self, name: str) -> OffsetChanges:
        self._configs.refresh()
        self._views.config(name)
        state = self._views.state
        if state.targets.get(name) is not TargetState.STOPPED or state.tasks.get(name):
            raise BadRequestError(
                "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for"
                " the specified connector by issuing a 'PUT' request to the"
                f" '/connectors/{name}/stop' endpoint"
            )
        return self._offsets(name)
