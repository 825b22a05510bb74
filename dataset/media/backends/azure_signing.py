"""Signed URLs of Azure Blob Storage.

obstore signs the encoded name of a blob where Azure expects the plain one, so its URLs of names with blanks or other
letters than those of English are refused.

Source: Microsoft, "Create a service SAS", the string to sign of version 2020-12-06 and later.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

_VERSION = "2023-11-03"
_CLOCKS_DIFFER = timedelta(minutes=5)


def signed_blob(config: Mapping[str, Any], container: str, key: str, seconds: int) -> str | None:
    """A URL that reads a blob for a while, signed with the key of the account.

    Args:
        config: what the store was made of: `account_name`, `account_key`, and `endpoint` if it is not Azure's own.
        container: the container.
        key: the blob.
        seconds: for how long.

    Returns:
        The URL; None if there is no key of the account to sign with.
    """
    account, secret = config.get("account_name"), config.get("account_key")
    if not account or not secret:
        return None
    now = datetime.now(UTC)
    begin, end = _time(now - _CLOCKS_DIFFER), _time(now + timedelta(seconds=seconds))
    resource = f"/blob/{account}/{container}/{key}"
    # In order: what may be done, from when, until when, on what, then three empty entries (policy, addresses,
    # protocol), version, kind of resource, and seven more that are empty (snapshot, scope, and headers of the answer).
    text = "\n".join(["r", begin, end, resource, "", "", "", _VERSION, "b", *[""] * 7])
    signature = hmac.new(base64.b64decode(str(secret)), text.encode(), hashlib.sha256).digest()
    query = urlencode(
        {"sp": "r", "st": begin, "se": end, "sv": _VERSION, "sr": "b", "sig": base64.b64encode(signature).decode()}
    )
    endpoint = str(config.get("endpoint") or f"https://{account}.blob.core.windows.net").rstrip("/")
    return f"{endpoint}/{container}/{quote(key)}?{query}"


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
