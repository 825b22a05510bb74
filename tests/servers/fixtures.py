"""The fixtures `s3` and `azure`: a conftest.py that imports the four names has them."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers.azure import Azure
from tests.servers.azure import serving as serving_azure
from tests.servers.proxy import Proxy
from tests.servers.s3 import S3
from tests.servers.s3 import serving as serving_s3

__all__ = ["azure", "azure_server", "s3", "s3_server"]


@pytest.fixture(scope="session")
def s3_server() -> Iterator[tuple[Proxy, Any]]:
    with serving_s3() as server:
        yield server


@pytest.fixture
def s3(s3_server: tuple[Proxy, Any]) -> S3:
    """A new bucket on a server that speaks S3."""
    return S3(*s3_server)


@pytest.fixture(scope="session")
def azure_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with serving_azure(tmp_path_factory.mktemp("azurite")) as proxy:
        yield proxy


@pytest.fixture
def azure(azure_server: Proxy) -> Azure:
    """A new container on a server that speaks Azure Blob Storage."""
    return Azure(azure_server)
