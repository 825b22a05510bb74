"""What tests of media share: servers, and the library as it is without simplejpeg."""

import sys

import pytest

from saccade.dataset.media import jpeg
from tests.servers.fixtures import azure, azure_server, s3, s3_server

__all__ = ["azure", "azure_server", "hide_simplejpeg", "s3", "s3_server"]


@pytest.fixture
def hide_simplejpeg(monkeypatch):
    """A function after which the library finds no simplejpeg, as where it is not installed, until the test ends."""

    def hide():
        monkeypatch.setitem(sys.modules, "simplejpeg", None)
        jpeg._simplejpeg.cache_clear()

    yield hide
    monkeypatch.undo()
    jpeg._simplejpeg.cache_clear()
