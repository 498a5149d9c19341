"""Certificates made for a test: an authority, servers, clients; also expired, self-signed and misnamed ones."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Issued:
    """A key and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def key_pem(self, password: str = "") -> str:
        """The key, PKCS8."""
        how: KeySerializationEncryption = (
            BestAvailableEncryption(password.encode()) if password else NoEncryption()
        )
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how).decode()

    def pem(self) -> str:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def p12(self, password: str) -> bytes:
        """Both, as PKCS12."""
        how = BestAvailableEncryption(password.encode())
        return pkcs12.serialize_key_and_certificates(b"own", self.key, self.certificate, None, how)


class Authority:
    """Issues certificates."""

    def __init__(self, name: str = "Test authority") -> None:
        self.own = _issue(name, None, ca=True)

    def issue(self, name: str, *, expired: bool = False) -> Issued:
        """For a host name, an address or a user."""
        return _issue(name, self.own, expired=expired)


def write(folder: Path, name: str, issued: Issued, mode: int = 0o600) -> tuple[Path, Path]:
    """Files of the certificate and the key."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    certificate.write_text(issued.pem())
    key.write_text(issued.key_pem())
    key.chmod(mode)
    return certificate, key


def _issue(name: str, issuer: Issued | None, *, ca: bool = False, expired: bool = False) -> Issued:
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    begin, end = now - dt.timedelta(days=3), now + dt.timedelta(days=-1 if expired else 3)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if ca:
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(usage, critical=True)
    else:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(name)]), critical=False)
    return Issued(key, builder.sign(signer, hashes.SHA256()))


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
