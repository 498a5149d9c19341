"""The registry's refusals, with Confluent's codes and wording."""

from __future__ import annotations

from typing import Any


class RefusedError(Exception):
    """The answer is an error: `code` begins with the HTTP status."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def status(self) -> int:
        """HTTP status."""
        return self.code if self.code < 1000 else self.code // 100

    def to_json(self) -> dict[str, Any]:
        """The body."""
        return {"error_code": self.code, "message": self.message}


def no_subject(subject: str) -> RefusedError:
    """There is no such subject."""
    return RefusedError(40401, f"Subject '{subject}' not found.")


def no_version(version: object) -> RefusedError:
    """The subject has no such version."""
    return RefusedError(40402, f"Version {version} not found.")


def no_schema(number: int | None = None) -> RefusedError:
    """There is no such schema."""
    return RefusedError(40403, "Schema not found" if number is None else f"Schema {number} not found")


def invalid_schema(message: str) -> RefusedError:
    """The text is no schema."""
    return RefusedError(42201, message)


def invalid_version(version: str) -> RefusedError:
    """A version is a number or `latest`."""
    return RefusedError(
        42202,
        f"The specified version '{version}' is not a valid version id. "
        'Allowed values are between [1, 2^31-1] and the string "latest"',
    )


def invalid_level() -> RefusedError:
    """No such compatibility level."""
    return RefusedError(
        42203,
        "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, "
        "forward_transitive, and full_transitive",
    )


def invalid_mode() -> RefusedError:
    """No such mode."""
    return RefusedError(
        42204, "Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE, IMPORT, and FORWARD"
    )


def not_permitted(message: str) -> RefusedError:
    """The mode forbids it."""
    return RefusedError(42205, message)


def referenced(subject: str, version: int) -> RefusedError:
    """Other schemas use it."""
    return RefusedError(
        42206,
        "One or more references exist to the schema "
        f"{{magic=1,keytype=SCHEMA,subject={subject},version={version}}}.",
    )
