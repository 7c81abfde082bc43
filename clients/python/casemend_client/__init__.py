"""Typed client of casemend's REST API.

from casemend_client import Client, models

with Client() as client:  # CASEMEND_URL and CASEMEND_KEY, or url= and key=
    for case in client.bad_cases.list(tag="billing"):
        print(case.id)
"""

from casemend_client import models
from casemend_client._async.client import AsyncClient
from casemend_client._async.transport import AsyncDownload, AsyncPages
from casemend_client._bodies import File
from casemend_client._sync.client import Client
from casemend_client._sync.transport import Download, Pages
from casemend_client._version import VERSION as __version__
from casemend_client.errors import (
    ApiError,
    CasemendError,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    RateLimited,
    ServiceUnavailable,
    ServiceUnreachable,
    Unauthenticated,
    UnexpectedAnswer,
    WaitTimeout,
    WorkCancelled,
    WorkFailed,
)

__all__ = [
    "ApiError",
    "AsyncClient",
    "AsyncDownload",
    "AsyncPages",
    "CasemendError",
    "Client",
    "Conflict",
    "Download",
    "File",
    "Forbidden",
    "InvalidInput",
    "NotFound",
    "Pages",
    "PreconditionFailed",
    "RateLimited",
    "ServiceUnavailable",
    "ServiceUnreachable",
    "Unauthenticated",
    "UnexpectedAnswer",
    "WaitTimeout",
    "WorkCancelled",
    "WorkFailed",
    "__version__",
    "models",
]
