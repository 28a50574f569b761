"""What an S3 server's error code means to us: the class of the error and what a person can do about it.

Strings in, a StoreError out; knows no client library. Never repeats what could be a secret.
"""

from __future__ import annotations

from config.errors import ObjectDiffers, ObjectExists, ObjectMissing, StoreError, StoreRefused, StoreUnavailable

_MAX_DETAIL = 300

_RIGHTS = (
    "give these credentials s3:ListBucket on the bucket and s3:GetObject, s3:PutObject and s3:AbortMultipartUpload on "
    "its objects: deploy/policy-crawl.json"
)
_REGION = "set s3_region to the region that the bucket lies in"
_AGAIN = "sign in again or renew the credentials"
_KEYS = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or s3_profile, and that they are of this server"

_REFUSED: dict[str, tuple[str, str]] = {
    "NoSuchBucket": ("there is no such bucket", "make it, or check the name and s3_endpoint_url"),
    "AccessDenied": ("access denied", _RIGHTS),
    "AllAccessDisabled": ("access denied", _RIGHTS),
    "AccountProblem": ("the account has a problem", "ask who runs the account"),
    "InvalidAccessKeyId": ("the server does not know this access key", _KEYS),
    "SignatureDoesNotMatch": ("the secret key does not fit the access key", _KEYS),
    "InvalidToken": ("the session token is not valid", _AGAIN),
    "ExpiredToken": ("the session has expired", _AGAIN),
    "TokenRefreshRequired": ("the session has expired", _AGAIN),
    "RequestTimeTooSkewed": ("this machine's clock is too far from the server's", "set the clock"),
    "RequestExpired": ("this machine's clock is too far from the server's", "set the clock"),
    "PermanentRedirect": ("the bucket lies elsewhere", _REGION),
    "TemporaryRedirect": ("the bucket lies elsewhere", _REGION),
    "AuthorizationHeaderMalformed": ("the request was signed for another region", _REGION),
    "IllegalLocationConstraintException": ("the bucket lies elsewhere", _REGION),
    "InvalidBucketName": ("the server refuses the bucket's name", "check the name; some servers need s3_path_style"),
    "EntityTooLarge": ("the object is too large for this server", "make segment_bytes smaller"),
    "NotImplemented": ("the server lacks a feature that ofrecord needs", "choose a store that deploy/README.md names"),
    "MethodNotAllowed": ("the server does not take this request", "check that s3_endpoint_url is an S3 server"),
    "QuotaExceeded": ("the quota is used up", "raise it or make room"),
    "InvalidObjectState": ("the object lies in a cold storage class", "restore it first"),
}
_BY_STATUS = {301: "PermanentRedirect", 307: "TemporaryRedirect", 403: "AccessDenied", 405: "MethodNotAllowed"}
_MISSING = frozenset({"NoSuchKey", "NoSuchVersion"})
_DIFFERS = frozenset({"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"})
_PASSING = frozenset(
    {
        "ConditionalRequestConflict",
        "InternalError",
        "OperationAborted",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequests",
        "TooManyRequestsException",
    }
)


def explain_answer(where: str, *, code: str, status: int, detail: str) -> StoreError:
    """Return the error for an answer of *status* with S3's *code*; *detail* is the server's own message."""
    if code in _DIFFERS:
        return ObjectDiffers(
            f"{where}: the server found other bytes than the digest stands for ({code}); nothing was kept"
        )
    if code == "PreconditionFailed" or status == 412:
        return ObjectExists(f"{where}: is there already")
    if code == "NoSuchUpload":
        return StoreUnavailable(f"{where}: somebody or a rule of the bucket ended the upload in parts; try again")
    if code in _MISSING:
        return ObjectMissing(f"{where}: no such object")
    if code in _PASSING or status in {408, 429} or (status >= 500 and code not in _REFUSED and status != 501):
        advice = (
            "try again later" if code in _PASSING else "try again later, or check that s3_endpoint_url is an S3 server"
        )
        return StoreUnavailable(f"{where}: the server is busy or in trouble ({status} {tidy(code)}); {advice}")
    name = code if code in _REFUSED else _BY_STATUS.get(status, "NotImplemented" if status == 501 else "")
    if name:
        what, advice = _REFUSED[name]
        said = f": {tidy(detail)}" if name == "AccessDenied" and detail else ""
        return StoreRefused(f"{where}: {what} ({status} {tidy(code)}{said}); {advice}")
    if status == 404:
        return ObjectMissing(f"{where}: no such object")
    return StoreRefused(f"{where}: the server refused ({status} {tidy(code)}: {tidy(detail)})")


def tidy(text: str) -> str:
    """Return foreign *text* as one printable line of bounded length."""
    line = " ".join(text[: 4 * _MAX_DETAIL].split())[:_MAX_DETAIL]
    return "".join(character if character.isprintable() else "?" for character in line)
