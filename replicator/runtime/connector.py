"""Life of a connector instance: started, asked for task configurations, stopped.

Called under the herder's lock; `raise_error` and task reconfiguration may come from the
connector's own threads.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from replicator.api.errors import ConnectError
from replicator.api.source import Connector
from replicator.runtime.startups import STARTUPS
from replicator.runtime.task import FAILED, PAUSED, RUNNING, STOPPED, UNASSIGNED

log = logging.getLogger(__name__)


class ConnectorRunner:
    """One connector instance at a time.

    Attributes:
        state: RUNNING, PAUSED, STOPPED, FAILED or UNASSIGNED.
        trace: why it FAILED.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[], Connector],
        on_state: Callable[[str, str | None], None],
        reconfigure: Callable[[], None],
    ) -> None:
        self.name = name
        self.state = UNASSIGNED
        self.trace: str | None = None
        self._make = make
        self._on_state = on_state
        self._reconfigure = reconfigure
        self._connector: Connector | None = None

    @property
    def started(self) -> bool:
        """Whether there is a started instance."""
        return self._connector is not None

    def start(self, config: Mapping[str, str]) -> bool:
        """Construct and start; False (and FAILED) when that fails."""
        try:
            connector = self._make()
            connector.initialize(self)
            connector.start(config)
        except Exception as error:  # noqa: BLE001 - a plugin's error is the connector's failure
            STARTUPS.count("connector", succeeded=False)
            self._fail(error)
            return False
        STARTUPS.count("connector", succeeded=True)
        self._connector = connector
        self._set_state(RUNNING)
        return True

    def task_configs(self, config: Mapping[str, Any]) -> list[dict[str, str]] | None:
        """Configurations of the tasks; None (and FAILED) when the connector cannot give them."""
        if self._connector is None:
            return None
        limit = int(config["tasks.max"])
        try:
            configs = self._connector.task_configs(limit)
            if len(configs) > limit:
                message = (
                    f"The connector {self.name} has generated {len(configs)} tasks, which is greater"
                    f" than {limit}, the maximum number of tasks it is configured to create. "
                )
                if config["tasks.max.enforce"]:
                    raise ConnectError(message)
                log.warning("%sIt is let pass, since tasks.max.enforce is false.", message)
        except Exception as error:  # noqa: BLE001 - as in start
            self._fail(error)
            return None
        return configs

    def task_class(self) -> type[Any]:
        """Class of the tasks; the connector is running."""
        assert self._connector is not None
        return self._connector.task_class()  # type: ignore[attr-defined,no-any-return]

    def stop(self, state: str = UNASSIGNED) -> None:
        """Stop the instance; its errors are logged only."""
        connector, self._connector = self._connector, None
        if connector is not None:
            try:
                connector.stop()
            except Exception as error:
                log.warning("%s: stop failed", self.name, exc_info=error)
        if state in (STOPPED, PAUSED):
            self._set_state(state)
        else:
            self.state, self.trace = state, None

    def pause(self) -> None:
        """Show PAUSED, unless FAILED."""
        if self.state != FAILED:
            self._set_state(PAUSED)

    def resume(self) -> None:
        """Show RUNNING, unless FAILED."""
        if self.state != FAILED:
            self._set_state(RUNNING)

    # ConnectorContext

    def request_task_reconfiguration(self) -> None:
        """Ask the herder to call `task_configs` again."""
        self._reconfigure()

    def raise_error(self, error: Exception) -> None:
        """Fail this connector."""
        self._fail(error)

    def _fail(self, error: BaseException) -> None:
        log.error("%s: connector failed", self.name, exc_info=error)
        self._set_state(FAILED, "".join(traceback.format_exception(error)))

    def _set_state(self, state: str, trace: str | None = None) -> None:
        self.state, self.trace = state, trace
        self._on_state(state, trace)
