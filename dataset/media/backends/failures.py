"""What the errors of buckets mean.

The messages of obstore quote requests and answers, with signatures and tokens in them: they are searched here for what
is known, and never shown.
"""

import re

from ..patience import Failure

FORKED = Failure(
    "source",
    "this process is a fork of one that had read from a bucket already",
    'Start worker processes by "spawn" or "forkserver", or before the first read.',
)

_CREDENTIALS = "Give valid ones in the options of the datasource or the environment, then start again."
_NONE = (
    "Give them in the options of the datasource or the environment; for a bucket that all may read, "
    "skip_signature = true."
)
_AZURE = "The key is wrong, or has no right to list and to read, or a firewall is in the way."
_BY_CODE = {
    "ExpiredToken": Failure("source", "the credentials have expired", _CREDENTIALS),
    "TokenRefreshRequired": Failure("source", "the credentials have expired", _CREDENTIALS),
    "InvalidToken": Failure("source", "the session token is not valid", _CREDENTIALS),
    "InvalidAccessKeyId": Failure("source", "the server does not know the access key", _CREDENTIALS),
    "InvalidSecurity": Failure("source", "the credentials are not valid", _CREDENTIALS),
    "SignatureDoesNotMatch": Failure("source", "the secret key is wrong", _CREDENTIALS),
    "AuthenticationFailed": Failure("source", "the credentials are wrong or have expired", _CREDENTIALS),
    "InvalidAuthenticationInfo": Failure("source", "the credentials are wrong or have expired", _CREDENTIALS),
    "AuthorizationFailure": Failure("source", "the account refuses access", _AZURE),
    "AuthorizationPermissionMismatch": Failure("source", "the account refuses access", _AZURE),
    "AccountIsDisabled": Failure("source", "the account is disabled", "Ask whoever owns it."),
    "AllAccessDisabled": Failure("source", "the bucket is disabled", "Ask whoever owns it."),
    "RequestTimeTooSkewed": Failure("source", "the clock of this machine is wrong", "Set it."),
    "NoSuchBucket": Failure("source", "the bucket does not exist", "Check its name and the endpoint."),
    "ContainerNotFound": Failure("source", "the container does not exist", "Check its name and the account."),
    "InvalidBucketName": Failure("source", "no bucket can have this name", "Check it."),
    "PermanentRedirect": Failure("source", "the bucket is in another region", "Give the option region."),
    "AuthorizationHeaderMalformed": Failure("source", "the bucket is in another region", "Give the option region."),
    "SlowDown": Failure("passing", "the server asks for fewer requests"),
}
"""By the codes that S3 and Azure put into their answers."""

_ASKING_FOR_CREDENTIALS = r"performing PUT \S+/latest/api/token|//169\.254\.169\.254|//metadata\.google|token request"
_BY_TEXT = (
    (r"Missing ?(Secret|Access)", Failure("source", "there are no credentials", _NONE)),
    (r"MissingAccount|Account must be", Failure("source", "no account is named", "Give the option account_name.")),
    (r"[Cc]redential error|Invalid Access Key|InvalidAccessKey\b",
     Failure("source", "the credentials have no valid form", _CREDENTIALS)),
    (r"BareRedirect|redirect without LOCATION", _BY_CODE["PermanentRedirect"]),
    (r"builder error", Failure("source", "the endpoint cannot be used", "HTTP without encryption needs an endpoint "
                               "with http://.")),
    (r"dns error|failed to lookup|ResolveError|Name or service not known",
     Failure("unreachable", "the name of the server is not known", "Check the endpoint and the network.")),
    (r"peer certificate|UnknownIssuer|InvalidContentType", Failure("source", "the server has no valid certificate",
                                                      "Check the endpoint.")),
    (r"kind: Connect\b|ConnectionRefused|ConnectError", Failure("unreachable", "the server cannot be reached",
                                                              "Check the endpoint and the network.")),
    (r"TimedOut|kind: Timeout|timed out", Failure("passing", "the server did not answer in time")),
    (r"body error|kind: (Request|Decode|Body|Interrupted)|IncompleteMessage|connection closed|ConnectionReset",
     Failure("passing", "the connection broke")),
    (r"illegal character|empty path segment|parse path|InvalidPath|invalid path",
     Failure("file", "the key has parts that are empty, '.' or '..', or a character that obstore cannot read",
             'Rename it, or give the option backend="fsspec".')),
)  # fmt: skip
"""By what obstore says where no server answered."""

_OF_THE_CALLER = re.compile(
    r"(?<=://)([^/\s,]+)[^\s,]*|path: \"(?:[^\"\\\\]|\\\\.)*\"|for path .*?: Error|location .*? not found"
)
"""Parts that hold a key or a signature: a file may be called `timed out.jpg`. Of a URL the host is kept."""

_STATUS = re.compile(r"status(?: code)?: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")


def is_range_error(error: BaseException) -> bool:
    """Whether a range was asked for that the object does not have, which is so for every range of an empty one."""
    text = str(error)
    return "416" in _STATUS.findall(text) or "InvalidRange" in text or "NoContentRange" in text


def explain_text(kind: str, text: str) -> Failure:
    """Say what an error of obstore means.

    Args:
        kind: the name of its class.
        text: its message.
    """
    if re.search(_ASKING_FOR_CREDENTIALS, text):
        return Failure("source", "there are no credentials", _NONE)
    text = _OF_THE_CALLER.sub(r"\1", text)
    code = next(iter(_CODE.findall(text)), None)
    if code in _BY_CODE:
        return _BY_CODE[code]
    found = _STATUS.search(text)
    status = int(found[1]) if found is not None else None
    if status is None:
        for expression, failure in _BY_TEXT:
            if re.search(expression, text):
                return failure
    if kind == "FileNotFoundError" or status == 404:
        return Failure("file", "the file does not exist")
    if kind == "UnauthenticatedError" or status == 401:
        return Failure("source", "the credentials are not valid", _CREDENTIALS)
    if kind == "PermissionDeniedError" or status == 403:
        return Failure("denied", "the file may not be read (access denied)", "Ask for the right to list and to read.")
    if kind == "PreconditionError" or status == 412:
        return Failure("file", "the file was changed while it was read")
    if status is not None and (status >= 500 or status in {408, 425, 429}):
        return Failure("passing", f"the server answered {status}")
    if status is not None:
        return Failure("file", f"the server answered {status}" + (f" {code}" if code else ""))
    return Failure("file", f"the file cannot be read ({kind})")
