"""The one way in which object stores are reached, and what their refusals mean in words.

Delta, polars and what is here read the same variables of the environment; docs/object-store.md lists them. Keys never stand in a URL.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from signals.errors import InputError

_WHY = "nothing there can be read or written"
# How a store words a refusal, what it means, and what to do about it.
_REFUSALS = (
    ("NO_SUCH_BUCKET|NoSuchBucket", "there is no such bucket", "make it, or mend its name"),
    (
        "ACCESS_DENIED|SIGNATURE_DOES_NOT_MATCH|INVALID_|EXPIRED|UNRECOGNIZED_CLIENT|HTTP status 403|403 Forbidden|AccessDenied",
        "the object store refuses the key, or what the key may do",
        "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and what docs/object-store.md says they must allow",
    ),
    (
        "URL scheme is not allowed",
        "the object store is at http://, which nobody allowed",
        "set AWS_ALLOW_HTTP=true where the network between is your own",
    ),
    (
        "NETWORK_CONNECTION|REQUEST_TIMEOUT|SLOW_DOWN|SERVICE_UNAVAILABLE|INTERNAL_FAILURE|error sending request|HTTP status 50",
        "the object store can't be reached",
        "check AWS_ENDPOINT_URL, AWS_REGION and the network, then run it again",
    ),
    ("does not exist|[Nn]ot found", "the file is gone since it was listed", "run it again"),
)


def is_url(place: str) -> bool:
    """Say whether a place is an object store's URL rather than a folder.

    >>> is_url("s3://town/lake"), is_url("/data/town")
    (True, False)
    """
    return "://" in place


def split_url(url: str) -> tuple[str, str]:
    """Split an object store's URL into bucket and key, both as they are: nothing is percent-encoded.

    Raises `InputError`, which shows nothing of the URL but its kind, where a key stands in it or it is another kind of store.

    >>> split_url("s3://town/한빛 은행/2026")
    ('town', '한빛 은행/2026')
    """
    scheme, _, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3":
        raise InputError(
            "no object store of a kind that can be read", f"{scheme}://", "only S3 and what speaks like it are", "write s3://bucket/folder"
        )
    if not re.fullmatch(r"[A-Za-z0-9._-]+", bucket):
        raise InputError(
            "no bucket's name stands in an object store's URL",
            f"{scheme}://",
            "keys in a URL end up in logs and lists of processes",
            "write s3://bucket/folder, and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )
    return bucket, key


def open_store() -> Any:
    """Open the object store that the environment names, once for as long as it names the same."""
    names = ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    endpoint, region, default_region, *_ = said = [os.environ.get(name) or None for name in names]
    return _open_store(endpoint, region or default_region, hash(tuple(said)))


@lru_cache(maxsize=4)
def _open_store(endpoint: str | None, region: str | None, _key: int) -> Any:
    from pyarrow import fs

    # A small file is written in one put when its opening may wait for its content.
    return fs.S3FileSystem(endpoint_override=endpoint, region=region, connect_timeout=5, allow_delayed_open=True)


@contextmanager
def worded(place: str) -> Iterator[None]:
    """Word what an object store refuses inside the block as one line, without its own words: they may show parts of a key."""
    try:
        yield
    except OSError as error:
        if not is_url(place):
            raise
        found = ((what, step) for pattern, what, step in _REFUSALS if re.search(pattern, str(error)))
        what, step = next(found, (f"the object store fails ({type(error).__name__})", "run `deungdae doctor`, then it again"))
        raise InputError(what, place, _WHY, step) from None
