"""S3 as moto serves it, over HTTP, behind the counting proxy."""

import logging
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.servers.proxy import Proxy

ACCESS_KEY, SECRET_KEY = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMIsecretsecretEXAMPLEKEY"


class S3:
    """A bucket of a test's own.

    Attributes:
        bucket: its name.
        proxy: counts what is asked, and fails where it is told to.
        client: boto3's, past the proxy.
    """

    def __init__(self, proxy: Proxy, client: Any) -> None:
        self.proxy, self.client = proxy, client
        self.bucket = f"bucket-{uuid.uuid4().hex[:12]}"
        client.create_bucket(Bucket=self.bucket)
        proxy.reset()

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}"

    @property
    def options(self) -> dict[str, Any]:
        """What a Datasource needs to find and enter it."""
        return {
            "endpoint": self.proxy.endpoint, "region": "us-east-1", "access_key_id": ACCESS_KEY,
            "secret_access_key": SECRET_KEY,
        }  # fmt: skip

    def put(self, objects: Mapping[str, bytes]) -> None:
        """Put objects into the server's own store: thousands would take a minute over HTTP."""
        from moto.core import DEFAULT_ACCOUNT_ID
        from moto.s3.models import s3_backends

        for key, data in objects.items():
            s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(self.bucket, key, data)

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket=self.bucket, Key=key)

    def reads(self) -> dict[str, int]:
        """How often each object was read."""
        return self.proxy.reads(self.bucket)


@contextmanager
def serving() -> Iterator[tuple[Proxy, Any]]:
    """Run the server; gives the proxy and a client that goes past it."""
    import boto3
    from botocore.config import Config
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    proxy = Proxy(("127.0.0.1", server.server_port))
    client = boto3.client(
        "s3", endpoint_url=f"http://127.0.0.1:{server.server_port}", region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, config=Config(retries={"max_attempts": 1}),
    )  # fmt: skip
    try:
        yield proxy, client
    finally:
        client.close()
        proxy.close()
        server.shutdown()
        server.server_close()
        thread.join()
