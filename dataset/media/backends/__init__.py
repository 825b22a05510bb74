"""Backends: how bytes come from a folder, a bucket or any file system that fsspec knows.

One file per backend. A backend lists, reads and signs; what is tried again and what an error means for a whole pass is
`patience`.
"""

from .base import Backend, Entry
from .choosing import open_backend

__all__ = ["Backend", "Entry", "open_backend"]
