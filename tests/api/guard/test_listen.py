"""Nothing is served in the clear beyond this machine; a certificate is one call away."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from privet.api.guard.listen import (
    CERTIFICATE_DAYS,
    ListenSettings,
    is_loopback,
    is_wildcard,
    listen_settings,
    machine_names,
    make_certificate,
)
from privet.config.load import Loaded
from privet.config.models import Config, Server
from privet.core.errors import ConfigError


def loaded(directory: Path, server: Server) -> Loaded:
    return Loaded(Config(server=server), {}, directory / "privet.toml")


def listening(directory: Path, **server: str) -> ListenSettings:
    section = Server.model_validate(server)
    return listen_settings(section, loaded(directory, section))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_the_loopback_needs_no_certificate(tmp_path: Path, host: str) -> None:
    settings = listening(tmp_path, host=host)
    assert not settings.tls
    assert settings.url.startswith("http://")
    assert all(settings.allows_host(name) for name in (host, "localhost", "127.0.0.1", "::1"))
    assert not settings.allows_host("evil.example")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "guard.example", "2001:db8::1", "127.0.0.1.evil.example", ""])
def test_beyond_it_one_is_needed(tmp_path: Path, host: str) -> None:
    with pytest.raises(ConfigError, match="privet init --certificate"):
        listening(tmp_path, host=host)


def test_hosts_are_told_apart() -> None:
    assert is_loopback("127.9.9.9")
    assert not is_loopback("loopback")
    assert is_wildcard("0.0.0.0")
    assert is_wildcard("::")
    assert not is_wildcard("127.0.0.1")
    assert ListenSettings("0.0.0.0", 8420, tls_certificate=Path("c")).url == "https://localhost:8420/"
    assert ListenSettings("::1", 8420).url == "http://[::1]:8420/"


def test_a_self_made_certificate(tmp_path: Path) -> None:
    certificate_path, key_path = make_certificate(tmp_path, ("localhost", "Guard.example", "192.0.2.1", "::1"))
    assert stat.S_IMODE(key_path.stat().st_mode) == 0o600
    certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
    public_key = certificate.public_key()
    assert isinstance(public_key, ec.EllipticCurvePublicKey)
    assert public_key.curve.name == "secp256r1"
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "guard.example"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.1", "::1"]
    lifetime = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert timedelta(days=CERTIFICATE_DAYS - 1) < lifetime <= timedelta(days=CERTIFICATE_DAYS)
    settings = listening(tmp_path, host="0.0.0.0", tls_certificate=certificate_path.name, tls_key=key_path.name)
    assert settings.tls
    assert settings.allows_host("guard.example")
    assert settings.allows_host("192.0.2.1")
    assert not settings.allows_host("0.0.0.0")
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_certificate or "", settings.tls_key)


def test_a_certificate_is_not_overwritten(tmp_path: Path) -> None:
    _, key_path = make_certificate(tmp_path, ("localhost",))
    before = key_path.read_bytes()
    with pytest.raises(ConfigError, match="there already"):
        make_certificate(tmp_path, ("localhost",))
    assert key_path.read_bytes() == before


@pytest.mark.parametrize("names", [(), ("",), ("a b",), ("../x",), ("<script>",), ("x" * 64 + ".example",), ("ü.example",), ("*",)])
def test_a_certificate_is_for_names(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError):
        make_certificate(tmp_path, names)
    assert list(tmp_path.iterdir()) == []


def test_this_machine_has_names_a_certificate_takes(tmp_path: Path) -> None:
    assert {"localhost", "127.0.0.1", "::1"} <= set(machine_names())
    make_certificate(tmp_path, machine_names())


def test_what_is_wrong_with_a_certificate_is_said(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, ("localhost",))
    other = tmp_path / "other"
    other.mkdir()
    _, other_key = make_certificate(other, ("localhost",))
    (tmp_path / "not.pem").write_text("no certificate")

    def refused(match: str, **server: str) -> None:
        with pytest.raises(ConfigError, match=match):
            listening(tmp_path, host="127.0.0.1", **server)

    refused("tls_key is missing", tls_certificate=str(certificate))
    refused("tls_certificate is missing", tls_key=str(key))
    refused("cannot be read", tls_certificate="none.pem", tls_key=str(key))
    refused("not a PEM certificate", tls_certificate="not.pem", tls_key=str(key))
    refused("is not the key", tls_certificate=str(certificate), tls_key=str(other_key))
    refused("cannot be read", tls_certificate=str(certificate), tls_key="none.pem")
    refused("expired on", tls_certificate=str(write_certificate(tmp_path / "old.pem", expired=True)), tls_key=str(key))
    refused("names no host", tls_certificate=str(write_certificate(tmp_path / "bare.pem", expired=False)), tls_key=str(key))


def write_certificate(path: Path, *, expired: bool) -> Path:
    """A certificate without names, over or not."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=-1 if expired else 1))
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return path
