"""Where the API listens and what it calls itself: addresses, certificate, allowed host names.

Belongs here: the rule that nothing is served in the clear beyond this machine, and the self-made certificate that makes
keeping it easy. Does not belong here: running the server (main).
"""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from privet.config.load import Loaded
from privet.config.models import Server
from privet.core.errors import ConfigError

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
CERTIFICATE_NAME = "privet-certificate.pem"
KEY_NAME = "privet-key.pem"
CERTIFICATE_DAYS = 397
"""The longest that browsers accept."""


@dataclass(frozen=True, slots=True)
class ListenSettings:
    """An address to listen on. names: what a request's Host header may say besides the loopback's names."""

    host: str
    port: int
    names: frozenset[str] = frozenset()
    tls_certificate: Path | None = None
    tls_key: Path | None = None

    @property
    def tls(self) -> bool:
        return self.tls_certificate is not None

    @property
    def url(self) -> str:
        """Where a browser on this machine opens the page."""
        name = "localhost" if is_wildcard(self.host) else self.host
        return f"{'https' if self.tls else 'http'}://{f'[{name}]' if ':' in name else name}:{self.port}/"

    def allows_host(self, name: str) -> bool:
        """Whether `name` (lower case, without port and brackets) may stand in a Host header."""
        return name in LOOPBACK_NAMES or name in self.names


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_wildcard(host: str) -> bool:
    """Whether `host` means every address of the machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return host == ""


def listen_settings(server: Server, loaded: Loaded) -> ListenSettings:
    """Return where to listen.

    Raises:
        ConfigError: beyond the loopback without a certificate, half a certificate, or one that cannot be read or has expired.
    """
    where = f"{loaded.path}: server"
    if (server.tls_certificate is None) != (server.tls_key is None):
        missing = "tls_key" if server.tls_key is None else "tls_certificate"
        raise ConfigError(f"{where}.{missing} is missing: a certificate and its key go together")
    if server.tls_certificate is None or server.tls_key is None:
        if not is_loopback(server.host):
            raise ConfigError(
                f"{where}.host = {server.host!r} is reached from other machines, and that takes TLS: run "
                "`privet init --certificate` for a self-made certificate, or set server.tls_certificate and server.tls_key"
            )
        return ListenSettings(server.host, server.port, frozenset({server.host}))
    certificate, key = loaded.resolve(server.tls_certificate), loaded.resolve(server.tls_key)
    names = _names_in(certificate, f"{where}.tls_certificate")
    _check_pair(certificate, key, where)
    own = frozenset() if is_wildcard(server.host) else frozenset({server.host.lower()})
    return ListenSettings(server.host, server.port, names | own, certificate, key)


def _names_in(path: Path, where: str) -> frozenset[str]:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{where}: {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{where}: {path} is not a PEM certificate") from error
    if certificate.not_valid_after_utc <= datetime.now(UTC):
        raise ConfigError(
            f"{where}: {path} expired on {certificate.not_valid_after_utc:%Y-%m-%d}: `privet init --certificate` makes a new one"
        )
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound as error:
        raise ConfigError(f"{where}: {path} names no host (no subject alternative name): browsers refuse it") from error
    dns = {name.lower() for name in names.get_values_for_type(x509.DNSName)}
    return frozenset(dns | {str(address) for address in names.get_values_for_type(x509.IPAddress)})


def _check_pair(certificate: Path, key: Path, where: str) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        raise ConfigError(f"{where}.tls_key: {key} is not the key of {certificate}, or is encrypted: {error.reason}") from error
    except OSError as error:
        raise ConfigError(f"{where}.tls_key: {key} cannot be read: {error.strerror}") from error


def machine_names() -> tuple[str, ...]:
    """What this machine calls itself, for a certificate."""
    name = socket.gethostname().lower()
    return tuple(dict.fromkeys(("localhost", "127.0.0.1", "::1", name, f"{name.split('.')[0]}.local")))


def make_certificate(directory: Path, names: Sequence[str]) -> tuple[Path, Path]:
    """Write a self-signed certificate (EC P-256, CERTIFICATE_DAYS) for `names` and its key (mode 0600) into `directory`.

    Returns the paths of certificate and key.

    Raises:
        ConfigError: no names, a name that is none, or a file of that name is there already or cannot be written.
    """
    if not names:
        raise ConfigError("a certificate needs at least one name: the host name or address that browsers will open")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Privet")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=CERTIFICATE_DAYS) - timedelta(hours=2))
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    certificate_path, key_path = directory / CERTIFICATE_NAME, directory / KEY_NAME
    _write_new(key_path, key_pem, 0o600)
    _write_new(certificate_path, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    return certificate_path, key_path


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    labels = name.lower().split(".")
    plain = all(label and label.replace("-", "").isalnum() and label.isascii() and len(label) <= 63 for label in labels)
    if not plain or len(name) > 253:
        raise ConfigError(f"{name!r} is neither a host name nor an address")
    return x509.DNSName(name.lower())


def _write_new(path: Path, data: bytes, mode: int) -> None:
    # The mode is set when the file is made: a key must not be readable for the moment between writing and chmod.
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise ConfigError(f"{path} is there already: move it away to make a new one") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
