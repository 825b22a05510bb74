"""Azure Blob Storage as azurite serves it, behind the counting proxy."""

import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.servers.proxy import Proxy

ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The account that azurite has by itself; its documentation names the key."""


class Azure:
    """A container of a test's own; see `S3`."""

    def __init__(self, proxy: Proxy) -> None:
        import obstore
        from obstore.store import AzureStore

        self.proxy = proxy
        self.container = f"container-{uuid.uuid4().hex[:12]}"
        self._obstore = obstore
        _create_container(proxy.upstream, self.container)
        self._store = AzureStore(self.container, client_options={"allow_http": True}, **self.options)
        proxy.reset()

    @property
    def url(self) -> str:
        return f"az://{self.container}"

    @property
    def options(self) -> dict[str, Any]:
        """What a Datasource needs to find and enter it."""
        return {"endpoint": f"{self.proxy.endpoint}/{ACCOUNT}", "account_name": ACCOUNT, "account_key": ACCOUNT_KEY}

    def put(self, objects: Mapping[str, bytes]) -> None:
        for key, data in objects.items():
            self._obstore.put(self._store, key, data)

    def delete(self, key: str) -> None:
        self._obstore.delete(self._store, key)

    def reads(self) -> dict[str, int]:
        """How often each object was read."""
        return self.proxy.reads(self.container)


def program() -> list[str] | None:
    """The command that starts azurite; None where it is not installed. `make dev` installs it beside the packages."""
    places = [os.environ.get("AZURITE"), str(Path(sys.prefix) / "azurite")]
    node = shutil.which("node")
    for place in filter(None, places):
        script = Path(place) / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
        if node is not None and script.exists():
            return [node, str(script)]
    return None


@contextmanager
def serving(folder: Path) -> Iterator[Proxy]:
    """Run the server; what it writes goes below `folder`."""
    command = program()
    if command is None:
        pytest.skip("azurite is not installed: `make dev` installs it where there is npm")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    flags = ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent"]
    server = subprocess.Popen(
        [*command, "--blobHost", "127.0.0.1", "--blobPort", str(port), *flags],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait_for(server, port)
        proxy = Proxy(("127.0.0.1", port))
        yield proxy
        proxy.close()
    finally:
        server.terminate()
        server.wait(20)


def _wait_for(server: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"azurite ended with status {server.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("azurite does not answer")


def _create_container(address: tuple[str, int], name: str) -> None:
    """Make a container. obstore has no call for it, so the request is signed here, as Azure documents it."""
    import base64
    import hashlib
    import hmac
    import http.client
    from email.utils import formatdate

    date, version = formatdate(usegmt=True), "2021-08-06"
    canonical = f"x-ms-date:{date}\nx-ms-version:{version}\n/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
    text = "PUT\n\n\n\n\n\n\n\n\n\n\n\n" + canonical
    key = base64.b64decode(ACCOUNT_KEY)
    signature = base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()
    connection = http.client.HTTPConnection(*address, timeout=20)
    headers = {"x-ms-date": date, "x-ms-version": version, "Authorization": f"SharedKey {ACCOUNT}:{signature}"}
    connection.request("PUT", f"/{ACCOUNT}/{name}?restype=container", headers={**headers, "Content-Length": "0"})
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    assert answer.status == 201, said
