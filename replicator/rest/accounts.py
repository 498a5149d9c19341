"""Who may use the REST API: accounts with passwords and bearer tokens, and the role of each.

They come from the worker's options (`rest.auth.*`), from a file that is read again when it changes, or, for workers
set up for Java Connect, from the file that a JAAS configuration names. What was given is compared in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from replicator.api.config import split_prefix
from replicator.api.errors import ConfigError
from replicator.config.files import parse_properties

ROLES: Final = ("read", "operate", "admin")
BASIC_EXTENSION: Final = "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension"
_PREFIX: Final = "rest.auth."
_PBKDF2: Final = "pbkdf2-sha256$"
_ITERATIONS: Final = 600_000
_MOST_PROVED: Final = 1000
_MOST_ITERATIONS: Final = 10_000_000
_JAAS: Final = re.compile(r"KafkaConnect\s*\{(.*?)\}\s*;", re.DOTALL)
_JAAS_OPTION: Final = re.compile(r'(\w+)\s*=\s*"?([^"\s;]*)"?')


@dataclass(slots=True)
class Accounts:
    """Passwords by user and tokens, each with a role."""

    users: dict[str, tuple[str, str]] = field(default_factory=dict, repr=False)
    tokens: dict[str, str] = field(default_factory=dict, repr=False)

    def role_of_user(self, name: str, password: str) -> str | None:
        """The user's role when the password is right."""
        stored, role = self.users.get(name, (_ABSENT, ""))
        return role if _matches(stored, password) and role else None

    def role_of_token(self, token: str) -> str | None:
        """The token's role, if there is such a token."""
        given = hashlib.sha256(token.encode()).digest()
        found = None
        for known, role in self.tokens.items():
            if hmac.compare_digest(hashlib.sha256(known.encode()).digest(), given):
                found = role
        return found


_ABSENT: Final = "\0no such user"


def hashed(password: str, salt: bytes | None = None) -> str:
    """A password in the form in which it may be stored."""
    used = os.urandom(16) if salt is None else salt
    key = hashlib.pbkdf2_hmac("sha256", password.encode(), used, _ITERATIONS)
    return f"{_PBKDF2}{_ITERATIONS}${used.hex()}${key.hex()}"


def _matches(stored: str, given: str) -> bool:
    if stored.startswith(_PBKDF2):
        return _PROVED.right(stored, given)
    digests = (hashlib.sha256(text.encode()).digest() for text in (stored, given))
    return hmac.compare_digest(*digests)


class _Proved:
    """Passwords that were right against a slow hash need not be hashed slowly with each request.

    Kept are digests under a key of this process, which are worth nothing outside it.
    """

    def __init__(self) -> None:
        self._key = os.urandom(32)
        self._digests: set[bytes] = set()

    def right(self, stored: str, given: str) -> bool:
        digest = hmac.digest(self._key, f"{stored}\0{given}".encode(), "sha256")
        if digest in self._digests:
            return True
        count, salt, key = stored.removeprefix(_PBKDF2).split("$")
        found = hashlib.pbkdf2_hmac("sha256", given.encode(), bytes.fromhex(salt), int(count))
        if not hmac.compare_digest(found, bytes.fromhex(key)):
            return False
        if len(self._digests) >= _MOST_PROVED:
            self._digests.clear()
        self._digests.add(digest)
        return True


_PROVED: Final = _Proved()


def parse_accounts(options: Mapping[str, Any], where: str) -> Accounts:
    """Accounts of `users.NAME.password`, `users.NAME.role`, `tokens.NAME.token` and `tokens.NAME.role`.

    Raises:
        ConfigError: something is missing, or there is no such role.
    """
    found = Accounts()
    for kind, secret in (("users", "password"), ("tokens", "token")):
        own = {n: str(v) for n, v in split_prefix(options, f"{kind}.").items()}
        for name in dict.fromkeys(n.rpartition(".")[0] for n in own):
            prefix = f"{where}{kind}.{name}"
            given, role = own.get(f"{name}.{secret}", ""), own.get(f"{name}.role", "read").strip().lower()
            if not given:
                raise ConfigError(f"{prefix} needs a {secret}.", option=f"{prefix}.{secret}")
            if role not in ROLES:
                raise ConfigError(
                    f"Invalid value {role} for configuration {prefix}.role: must be one of {', '.join(ROLES)}",
                    option=f"{prefix}.role",
                )
            if kind == "users":
                _check_hash(given, prefix)
                found.users[name] = (given, role)
            else:
                found.tokens[given] = role
    return found


def _check_hash(stored: str, prefix: str) -> None:
    if not stored.startswith(_PBKDF2):
        return
    parts = stored.removeprefix(_PBKDF2).split("$")
    try:
        fine = (
            len(parts) == 3
            and 0 < int(parts[0]) <= _MOST_ITERATIONS
            and all(bytes.fromhex(p) for p in parts[1:])
        )
    except ValueError:
        fine = False
    if not fine:
        raise ConfigError(
            f"The password of {prefix} is no {_PBKDF2}ITERATIONS$SALT$KEY with salt and key in hexadecimal digits.",
            option=f"{prefix}.password",
        )


class AccountSource:
    """The accounts of a worker; any thread."""

    def __init__(
        self, fixed: Accounts, file: Path | None = None, *, properties_of_users: bool = False
    ) -> None:
        """From options and a file.

        Args:
            fixed: accounts of the worker's options.
            file: a file of further accounts, read again when it changes.
            properties_of_users: the file holds lines `user=password`, all with role admin (Java Connect's form).
        """
        self._fixed = fixed
        self._file = file
        self._plain = properties_of_users
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._read = Accounts()

    @classmethod
    def of_worker(cls, raw: Mapping[str, Any]) -> AccountSource | None:
        """What a worker's options ask for; None: nobody needs to say who he is.

        Raises:
            ConfigError: accounts are wrong, a file cannot be read, or an extension is not known.
        """
        extensions = [e.strip() for e in str(raw.get("rest.extension.classes") or "").split(",") if e.strip()]
        for extension in extensions:
            if extension.rpartition(".")[2] != BASIC_EXTENSION.rpartition(".")[2]:
                raise ConfigError(
                    f"The REST extension {extension} is not known; {BASIC_EXTENSION} is.",
                    option="rest.extension.classes",
                )
        fixed = parse_accounts(split_prefix(raw, _PREFIX), _PREFIX)
        file = str(raw.get(f"{_PREFIX}file") or "").strip()
        source: AccountSource | None = None
        if extensions and not file:
            source = cls(fixed, _jaas_users(raw), properties_of_users=True)
        elif file:
            source = cls(fixed, Path(file))
        elif fixed.users or fixed.tokens:
            source = cls(fixed)
        if source is not None:
            now = source.now()
            if not now.users and not now.tokens:
                raise ConfigError(
                    "The REST API asks for accounts, but there is none.", option="rest.auth.file",
                    hint="An empty file would let nobody in.",
                )  # fmt: skip
        return source

    def now(self) -> Accounts:
        """The accounts as they are now.

        Raises:
            ConfigError: the file cannot be read any more, or is wrong.
        """
        if self._file is None:
            return self._fixed
        with self._lock:
            try:
                found = self._file.stat()
                stamp = (found.st_mtime_ns, found.st_size)
                if stamp != self._stamp:
                    options = parse_properties(self._file.read_text(encoding="utf-8"))
                    self._read, self._stamp = self._accounts(options), stamp
            except OSError as error:
                raise ConfigError(
                    f"Cannot read the accounts in {self._file}: {error.strerror}", option="rest.auth.file"
                ) from None
            return Accounts(self._fixed.users | self._read.users, self._fixed.tokens | self._read.tokens)

    def _accounts(self, options: Mapping[str, str]) -> Accounts:
        if self._plain:
            return Accounts({name: (password, "admin") for name, password in options.items()})
        return parse_accounts(options, f"{self._file}: ")


def _jaas_users(raw: Mapping[str, Any]) -> Path:
    """The users' file of the JAAS entry KafkaConnect, which Java finds by a system property."""
    location = str(raw.get("rest.auth.jaas.file") or "").strip()
    if not location:
        named = re.search(r"-Djava\.security\.auth\.login\.config=(\S+)", os.environ.get("KAFKA_OPTS", ""))
        location = named[1].strip("\"'") if named else ""
    if not location:
        raise ConfigError(
            "The basic authentication extension needs a JAAS file.",
            option="rest.auth.jaas.file",
            hint="Set rest.auth.jaas.file, or KAFKA_OPTS=-Djava.security.auth.login.config=FILE in the environment.",
        )
    try:
        text = Path(location).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"Cannot read {location}: {error.strerror}", option="rest.auth.jaas.file") from None
    entry = _JAAS.search(re.sub(r"/\*.*?\*/|^\s*(//|#)[^\n]*", "", text, flags=re.DOTALL | re.MULTILINE))
    if entry is None or "PropertyFileLoginModule" not in entry[1]:
        raise ConfigError(
            f"{location} has no entry KafkaConnect with the PropertyFileLoginModule.",
            option="rest.auth.jaas.file",
        )
    options = dict(_JAAS_OPTION.findall(entry[1]))
    if not options.get("file"):
        raise ConfigError(
            f"The entry KafkaConnect of {location} names no file.", option="rest.auth.jaas.file"
        )
    return Path(options["file"])
