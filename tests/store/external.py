"""A MongoDB server as a firm would run it: TLS, users and a replica set. For tests of explicit URIs."""

import datetime
import ipaddress
import secrets
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.store.processes import until


def write_certificates(folder: Path) -> tuple[Path, Path]:
    """Make an authority and a certificate for 127.0.0.1; gives the authority's file and the server's."""
    now = datetime.datetime.now(datetime.UTC)
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])

    def certificate(name: str, public: ec.EllipticCurvePublicKey, is_authority: bool) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
            )
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
            )
            .sign(authority_key, hashes.SHA256())
        )

    pem = serialization.Encoding.PEM
    authority_file, server_file = folder / "authority.pem", folder / "server.pem"
    authority_file.write_bytes(certificate("Test authority", authority_key.public_key(), True).public_bytes(pem))
    server_file.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate("127.0.0.1", key.public_key(), False).public_bytes(pem)
    )
    return authority_file, server_file


@contextmanager
def replica_set(mongod: Path, folder: Path, user: str, password: str) -> Iterator[str]:
    """Run a replica set of one with TLS and one user; gives the address with the options that it needs."""
    authority, certificate = write_certificates(folder)
    key_file = folder / "key"
    key_file.write_text(secrets.token_hex(64))
    key_file.chmod(0o600)
    data = folder / "db"
    data.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        *(mongod, "--dbpath", data, "--bind_ip", "127.0.0.1", "--port", str(port), "--nounixsocket"),
        *("--replSet", "tests", "--keyFile", key_file, "--oplogSize", "50", "--wiredTigerCacheSizeGB", "0.25"),
        *("--tlsMode", "requireTLS", "--tlsCertificateKeyFile", certificate, "--tlsCAFile", authority),
        "--tlsAllowConnectionsWithoutCertificates",
    ]
    address, options = f"127.0.0.1:{port}", f"tls=true&tlsCAFile={authority}"
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        try:
            _prepare(f"mongodb://{address}/?{options}&directConnection=true", address, user, password)
            yield f"{address}/?{options}&replicaSet=tests&authSource=admin"
        finally:
            server.terminate()


def _prepare(uri: str, address: str, user: str, password: str) -> None:
    """Begin the replica set and make its first user, which a server without users allows from its own machine."""
    with MongoClient(uri) as client:
        begin = {"_id": "tests", "members": [{"_id": 0, "host": address}]}

        def has_begun() -> bool:
            with suppress(PyMongoError):
                client.admin.command("replSetInitiate", begin)
                return True
            return False

        until(has_begun)
        until(lambda: client.admin.command("hello")["isWritablePrimary"])
        client.admin.command("createUser", user, pwd=password, roles=["root"])
