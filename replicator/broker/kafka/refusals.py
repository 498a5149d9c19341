"""Why brokers do not let a client in, found out with one connection of our own. Any thread.

librdkafka says "certificate verify failed" of an expired certificate, a wrong host name and an unknown issuer alike,
and waits for ever for a broker that wants TLS, an account or a client certificate. Used once a client could not
connect; a broker that is only away is no refusal.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Mapping
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from replicator.api.errors import ConfigError
from replicator.broker.kafka.client_tls import client_context

_SECONDS: Final = 3.0
_API_VERSIONS: Final = struct.pack("!ihhih5s", 15, 18, 0, 1, 5, b"probe")
_METADATA: Final = struct.pack("!ihhih5si", 19, 3, 1, 2, 5, b"probe", 0)
_EXPIRED: Final = 10
_NOT_YET: Final = 9
_UNKNOWN_ISSUER: Final = {2, 18, 19, 20, 21}
_WRONG_NAME: Final = {62, 64}
_ALERT: Final = 0x15
_TRUST: Final = "ssl.truststore.location"
_OWN: Final = "ssl.keystore.location"
_WAY: Final = "security.protocol"


def refusal(java: Mapping[str, str], security: Mapping[str, str]) -> ConfigError | None:
    """What is wrong, or None when the first broker that answers has nothing against us, or none does.

    Args:
        java: options under Java's names.
        security: the same as librdkafka's.
    """
    for address in java.get("bootstrap.servers", "").split(","):
        host, _, port = address.strip().rpartition(":")
        host = host.rpartition("://")[2].strip("[]")
        try:
            with socket.create_connection((host, int(port)), _SECONDS) as connection:
                return _try(connection, host, int(port), java, security)
        except (OSError, ValueError):
            continue
    return None


def _try(
    plain: socket.socket, host: str, port: int, java: Mapping[str, str], security: Mapping[str, str]
) -> ConfigError | None:
    address = f"{host}:{port}"
    protocol = java.get(_WAY, "PLAINTEXT").strip().upper()
    if not protocol.endswith("SSL"):
        return _without_tls(plain, address, protocol)
    context = client_context(security)
    try:
        with context.wrap_socket(plain, server_hostname=host) as encrypted:
            return _asked(encrypted, address, protocol)
    except ssl.SSLCertVerificationError as error:
        return _not_trusted(error, host, port, java)
    except (ssl.SSLEOFError, ConnectionResetError):
        return _no_tls(address, protocol)
    except ssl.SSLError as error:
        return _alert(error, address, java)


def _without_tls(connection: socket.socket, address: str, protocol: str) -> ConfigError | None:
    connection.sendall(_API_VERSIONS)
    answer = connection.recv(2)
    if answer[:2] == bytes((_ALERT, 3)):
        return ConfigError(
            f"Kafka: {address} speaks TLS, but {_WAY} is {protocol}.",
            option=_WAY,
            hint="Set SSL or SASL_SSL.",
        )
    return _wants_account(connection, answer, address, protocol)


def _asked(connection: socket.socket, address: str, protocol: str) -> ConfigError | None:
    """In TLS 1.3 a broker refuses a client's certificate only when the handshake is over for the client."""
    connection.sendall(_API_VERSIONS)
    return _wants_account(connection, connection.recv(2), address, protocol)


def _wants_account(
    connection: socket.socket, answer: bytes, address: str, protocol: str
) -> ConfigError | None:
    """A listener with SASL answers which versions it knows, and hangs up on the next question."""
    if protocol.startswith("SASL") or not answer:
        return None
    (size,) = struct.unpack("!i", answer + _exactly(connection, 4 - len(answer)))
    _exactly(connection, size)
    try:
        connection.sendall(_METADATA)
        said = connection.recv(1)
    except ConnectionError:
        said = b""
    if said:
        return None
    return ConfigError(
        f"Kafka: {address} hangs up on clients without an account: {_WAY} is {protocol}.",
        option=_WAY,
        hint=f"Set SASL_{protocol}, sasl.mechanism and sasl.jaas.config.",
    )


def _exactly(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        more = connection.recv(count - len(found))
        if not more:
            raise ConnectionError("the broker hung up")
        found += more
    return found


def _not_trusted(
    error: ssl.SSLCertVerificationError, host: str, port: int, java: Mapping[str, str]
) -> ConfigError:
    address = f"{host}:{port}"
    shown = _certificate(host, port)
    if error.verify_code in _WRONG_NAME:
        return ConfigError(
            f"Kafka: the certificate of {address} is for {_names(shown)}, not for {host}.",
            option="bootstrap.servers",
            hint="Use one of these names, in the brokers' advertised.listeners too; an empty"
            " ssl.endpoint.identification.algorithm switches this check off.",
        )
    if error.verify_code in (_EXPIRED, _NOT_YET):
        when = f"expired on {shown.not_valid_after_utc:%Y-%m-%d}" if shown else "has expired"
        if error.verify_code == _NOT_YET:
            when = "is not valid yet"
        return ConfigError(
            f"Kafka: the certificate of {address}, or of its issuer, {when}.",
            option="bootstrap.servers",
            hint="Renew it on the broker; no option of a client makes it valid.",
        )
    inline = java.get("ssl.truststore.certificates")
    place = "ssl.truststore.certificates" if inline else java.get(_TRUST) or "what the system trusts"
    issuer = f" '{shown.issuer.rfc4514_string()}'" if shown else ""
    if error.verify_code in _UNKNOWN_ISSUER:
        text = f"Kafka: the certificate of {address} was issued by{issuer}, which is not in {place}."
    else:
        text = f"Kafka: the certificate of {address} is refused: {error.verify_message}."
    return ConfigError(
        text,
        option="ssl.truststore.certificates" if inline else _TRUST,
        hint="Set it to a file (PEM, PKCS12 or JKS) with the certificate of this issuer.",
    )


def _no_tls(address: str, protocol: str) -> ConfigError:
    return ConfigError(
        f"Kafka: {address} does not speak TLS, but {_WAY} is {protocol}.",
        option=_WAY,
        hint="Set PLAINTEXT or SASL_PLAINTEXT, or the port of another listener in bootstrap.servers.",
    )


def _alert(error: ssl.SSLError, address: str, java: Mapping[str, str]) -> ConfigError | None:
    reason = (error.reason or "").upper()
    own = java.get(_OWN) or ("ssl.keystore.certificate.chain" if java.get("ssl.keystore.key") else "")
    if reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"):
        return _no_tls(address, java.get(_WAY, ""))
    if "CERTIFICATE" not in reason and "UNKNOWN_CA" not in reason and "HANDSHAKE_FAILURE" not in reason:
        return None
    if not own:
        return ConfigError(
            f"Kafka: {address} asks for a client certificate.",
            option=_OWN,
            hint="Set ssl.keystore.location, or ssl.keystore.key and ssl.keystore.certificate.chain.",
        )
    said = reason.lower().replace("_", " ").partition("alert ")[2] or reason.lower()
    return ConfigError(
        f"Kafka: {address} does not accept the client certificate of {own} ({said}): it has expired, or its issuer"
        " is unknown to the brokers.",
        option=_OWN,
    )


def _certificate(host: str, port: int) -> x509.Certificate | None:
    """What the broker shows to everybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), _SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as encrypted,
        ):
            shown = encrypted.getpeercert(binary_form=True)
    except OSError:
        return None
    return x509.load_der_x509_certificate(shown) if shown else None


def _names(shown: x509.Certificate | None) -> str:
    if shown is None:
        return "another name"
    try:
        found = shown.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except x509.ExtensionNotFound:
        return shown.subject.rfc4514_string()
    assert isinstance(found, x509.SubjectAlternativeName)
    return ", ".join(str(name.value) for name in found)
