"""A boto3 client for a bucket, and what its errors mean. The only importer of boto3.

Credentials come from boto3's own chain and go nowhere else: none is kept, logged or repeated in a message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore import exceptions as boto_errors
from botocore.config import Config
from botocore.credentials import Credentials

from config.errors import ConfigError, StoreError, StoreRefused, StoreUnavailable
from config.masks import hide
from jobs.store.answers import explain_answer, tidy
from jobs.store.s3.retention import LockWish

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from config.settings import Settings
    from jobs.store.s3.checksums import ChecksumName

_CONNECT_SECONDS = 10
_READ_SECONDS = 60
_CONNECTIONS = 16
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_AMAZON = re.compile(r"s3(-fips)?(\.dualstack)?(\.[a-z]{2}(-[a-z]+)+-\d)?\.amazonaws\.com(\.cn)?")
"""Its own names for all its buckets; other people's servers are below amazonaws.com, too."""

_NO_LOGIN = (
    boto_errors.NoCredentialsError,
    boto_errors.PartialCredentialsError,
    boto_errors.NoAuthTokenError,
)
_BAD_LOGIN = (
    boto_errors.CredentialRetrievalError,
    boto_errors.TokenRetrievalError,
    boto_errors.UnknownCredentialError,
    boto_errors.InfiniteLoopConfigError,
    boto_errors.ConfigParseError,
    boto_errors.RefreshWithMFAUnsupportedError,
    boto_errors.SSOError,
    boto_errors.LoginError,
)


@dataclass(frozen=True, slots=True)
class S3Options:
    """How to reach a server and what to ask of it: the settings s3_…, which say more of each."""

    endpoint_url: str | None = None
    region: str | None = None
    path_style: bool = False
    profile: str | None = None
    ca_file: Path | None = None
    retry_mode: Literal["standard", "adaptive"] = "standard"
    attempts: int = 4
    """How often a request is sent before it counts as failed."""
    sse: Literal["AES256", "aws:kms", "aws:kms:dsse"] | None = None
    sse_key_id: str | None = None
    storage_class: str | None = None
    checksum: ChecksumName = "sha256"
    lock: LockWish | None = None
    """Retention of immutable objects; `None`: none."""

    @classmethod
    def of(cls, settings: Settings) -> S3Options:
        """Return the options that *settings* hold."""
        return cls(
            endpoint_url=settings.s3_endpoint_url,
            region=settings.s3_region,
            path_style=settings.s3_path_style,
            profile=settings.s3_profile,
            ca_file=settings.s3_ca_file,
            retry_mode=settings.s3_retry_mode,
            attempts=settings.s3_attempts,
            sse=settings.s3_sse,
            sse_key_id=settings.s3_sse_key_id,
            storage_class=settings.s3_storage_class,
            checksum=settings.s3_checksum,
            lock=None if settings.object_lock == "none" else LockWish(settings.object_lock, settings.object_lock_days),
        )


def connect(url: str, options: S3Options) -> S3Client:
    """Return a client; asks nothing of the server. *url*: how errors name the store. Raises ConfigError, StoreError."""
    if options.endpoint_url is not None and "@" in urlsplit(options.endpoint_url).netloc:
        raise ConfigError(
            "s3_endpoint_url: found credentials in it, expected http(s)://host:port; set them in the environment"
        )
    if options.ca_file is not None and not options.ca_file.is_file():
        raise ConfigError(
            f"s3_ca_file: found {options.ca_file}, which is no file; expected a PEM file of certificate authorities"
        )
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": options.retry_mode, "total_max_attempts": options.attempts},
        max_pool_connections=_CONNECTIONS,
        # We send and check checksums ourselves; botocore's own trailers are not known to all servers.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path"} if options.path_style else None,  # else a profile may say so
        user_agent_extra="ofrecord",
    )
    try:
        found = botocore.session.Session(profile=options.profile)
        # Who names a profile means its server, too: to botocore, variables go before a profile's region and address.
        profile = found.get_scoped_config() if options.profile else {}
        session = boto3.Session(botocore_session=found, region_name=options.region or profile.get("region"))
        verify = None if options.ca_file is None else str(options.ca_file)
        endpoint_url = options.endpoint_url or profile.get("endpoint_url")
        client = session.client("s3", endpoint_url=endpoint_url, config=config, verify=verify)
        _hide_login(session)
    except boto_errors.ProfileNotFound as error:
        raise ConfigError(
            f"s3_profile: found {options.profile!r}, which is not in the AWS configuration files"
        ) from error
    except boto_errors.InvalidRegionError as error:
        raise ConfigError(f"s3_region: found {options.region!r}, expected a name such as eu-central-1") from error
    except boto_errors.BotoCoreError as error:
        raise explain(error, url) from error
    except ValueError as error:
        raise ConfigError(f"s3_endpoint_url: found {options.endpoint_url!r}, expected http(s)://host:port") from error
    return client


def _hide_login(session: boto3.Session) -> None:
    """Keep the secret key out of the log. Not one that expires: to look at it could fetch another."""
    found = session.get_credentials()
    if type(found) is Credentials:
        hide(found.secret_key, found.token)


def name_endpoint(url: str, partition: str) -> str:
    """Return a name that all spellings of the endpoint *url* share, without user, query or fragment.

    Amazon's regions are one in a *partition*: there a bucket's name is nobody else's.
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].lower().removesuffix(_DEFAULT_PORTS.get(parts.scheme, ":"))
    if _AMAZON.fullmatch(host):
        return f"Amazon S3 ({partition})"
    return f"{parts.scheme}://{host}{parts.path.rstrip('/')}"


def explain(error: Exception, where: str) -> StoreError:
    """Return ours for an error of botocore's; its own words only where they cannot hold a secret."""
    if isinstance(error, boto_errors.ClientError):
        said = error.response["Error"]
        status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
        return explain_answer(where, code=said.get("Code", ""), status=status, detail=said.get("Message", ""))
    if isinstance(error, _NO_LOGIN):
        return StoreRefused(
            f"{where}: found no complete credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            "or s3_profile, or run where a role gives them"
        )
    if isinstance(error, _BAD_LOGIN):
        return StoreRefused(
            f"{where}: no credentials to be had ({type(error).__name__}); sign in again or check s3_profile"
        )
    if isinstance(error, boto_errors.SSLError):
        return StoreRefused(f"{where}: TLS failed: {tidy(str(error))}; set s3_ca_file for a private authority")
    if isinstance(error, boto_errors.ProxyConnectionError):
        return StoreUnavailable(f"{where}: the proxy cannot be reached; check HTTPS_PROXY and NO_PROXY")
    if isinstance(error, boto_errors.EndpointConnectionError):
        return StoreUnavailable(
            f"{where}: cannot connect; check s3_endpoint_url, the network, and that the server runs"
        )
    if isinstance(error, boto_errors.ConnectTimeoutError | boto_errors.ReadTimeoutError):
        return StoreUnavailable(f"{where}: no answer in time; check the network and try again")
    if isinstance(error, boto_errors.HTTPClientError | boto_errors.ConnectionError | boto_errors.IncompleteReadError):
        return StoreUnavailable(f"{where}: the connection broke ({type(error).__name__}); try again")
    return StoreRefused(f"{where}: {type(error).__name__}: {tidy(str(error))}")
