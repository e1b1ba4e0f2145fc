"""Web processes and workers show PostgreSQL and Redis a certificate that expires, instead of a password."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import kombu
import psycopg
import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.db.backends.postgresql.base import DatabaseWrapper

from console import env
from console.demo.broker import answers, free_port, server_program
from tests.patience import PATIENCE_S
from tests.services import postgres

USER = "gatehouse"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An authority, the certificate of a server, and one of a client, as files."""
    authority = ec.generate_private_key(ec.SECP256R1())
    _write(tmp_path / "ca", "Authority", authority, signer=authority, issuer="Authority")
    for name, subject in (("server", "127.0.0.1"), ("client", USER), ("other", "other")):
        key = ec.generate_private_key(ec.SECP256R1())
        _write(tmp_path / name, subject, key, signer=authority, issuer="Authority")
    return tmp_path


def _write(
    path: Path,
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    *,
    signer: ec.EllipticCurvePrivateKey,
    issuer: str,
) -> None:
    now = datetime.now(tz=UTC)
    host = x509.DNSName("localhost")
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=subject == issuer, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([host]), critical=False)
        .sign(signer, hashes.SHA256())
    )
    path.with_suffix(".crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    path.with_suffix(".key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    path.with_suffix(".key").chmod(0o600)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


@pytest.fixture
def database(folder: Path) -> Iterator[str]:
    """The address of a PostgreSQL that lets in nobody without a certificate of their name."""
    if reason := postgres.why_missing():
        pytest.skip(reason)
    cluster, port = postgres.Cluster.start(), free_port()
    try:
        cluster.halt()
        data = cluster.folder / "data"
        for name in ("ca.crt", "server.crt", "server.key"):
            shutil.copy(folder / name, data / name)
            if os.geteuid() == 0:
                shutil.chown(data / name, "postgres", "postgres")
        (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 cert\n", encoding="utf-8")
        settings = ("ssl_ca_file=ca.crt", "ssl_cert_file=server.crt", "ssl_key_file=server.key", "ssl=on")
        words = [f"-c {setting}" for setting in (*settings, "listen_addresses=127.0.0.1", f"port={port}")]
        options = " ".join((f"-k {cluster.folder}", *words))
        cluster._run(
            "pg_ctl", "-D", str(data), "-l", str(cluster.folder / "log"), "-o", options, "-W", "start"
        )
        ready = [str(cluster.programs / "pg_isready"), "-h", "127.0.0.1", "-p", str(port), "-t", "2"]
        deadline = time.monotonic() + PATIENCE_S
        while subprocess.run(ready, capture_output=True, check=False).returncode:
            assert time.monotonic() < deadline
        yield f"postgres://{USER}@localhost:{port}/gatehouse?sslmode=verify-full&sslrootcert={folder}/ca.crt"
    finally:
        cluster.stop()


@pytest.fixture
def broker(folder: Path) -> Iterator[str]:
    """The address of a Redis that lets in nobody without a certificate."""
    program, port = server_program(), free_port()
    if program is None:
        pytest.skip("no Redis server")
    command = [program, "--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1", "--save", ""]
    command += ["--tls-cert-file", f"{folder}/server.crt", "--tls-key-file", f"{folder}/server.key"]
    command += ["--tls-ca-cert-file", f"{folder}/ca.crt", "--tls-auth-clients", "yes"]
    process = subprocess.Popen([*command, "--dir", str(folder)], stdout=subprocess.DEVNULL)
    try:
        _wait_for(port, process=process)
        yield f"rediss://localhost:{port}/0?ssl_ca_certs={folder}/ca.crt"
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)


def _wait_for(port: int, *, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not answers(port):
        if process.poll() is not None:
            pytest.skip("this Redis server was built without TLS")
        assert time.monotonic() < deadline
        time.sleep(0.05)


def shown(address: str, folder: Path, name: str, *, certificate: str, key: str) -> str:
    """The address with a certificate that is shown to the server."""
    return f"{address}&{certificate}={folder}/{name}.crt&{key}={folder}/{name}.key"


def test_postgresql_knows_the_console_by_its_certificate(
    database: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def user(address: str) -> str:
        monkeypatch.setenv("DATABASE_URL", address)
        with closing(DatabaseWrapper(_defaults(env.database("DATABASE_URL", None)))) as connection:
            parameters = connection.get_connection_params()
            with psycopg.connect(**parameters) as session:
                return str(session.execute("SELECT current_user").fetchall()[0][0])

    assert user(shown(database, folder, "client", certificate="sslcert", key="sslkey")) == USER
    for refused in (database, shown(database, folder, "other", certificate="sslcert", key="sslkey")):
        with pytest.raises(psycopg.OperationalError, match="certificate"):
            user(refused)


def test_redis_knows_the_console_by_its_certificate(
    broker: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "REDIS_URL", shown(broker, folder, "client", certificate="ssl_certfile", key="ssl_keyfile")
    )
    address = env.redis_url("REDIS_URL", None)
    with closing(redis.Redis.from_url(env.cache_url(address))) as cache:
        assert cache.ping()
    with kombu.Connection(address) as queue, closing(queue.SimpleQueue("certified")) as messages:
        messages.put("hello")
        assert messages.get(timeout=PATIENCE_S).payload == "hello"
    with closing(redis.Redis.from_url(broker)) as cache, pytest.raises(redis.ConnectionError):
        cache.ping()


def _defaults(settings: dict[str, object]) -> dict[str, object]:
    """What Django adds to the settings of a database."""
    return {"TIME_ZONE": None, "AUTOCOMMIT": True, "CONN_HEALTH_CHECKS": True, "TEST": {}} | settings
