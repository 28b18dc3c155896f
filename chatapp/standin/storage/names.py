"""What buckets and objects may be called, and how large and of which kind they may be."""

from __future__ import annotations

import re
from typing import Any

from .errors import StorageError, invalid

# As hosted: what S3 takes without trouble, and letters of any script.
OBJECT = re.compile(r"[\w/!\-.*'() &$@=;:+,?]+")
BUCKET = re.compile(r"[\w!\-.*'() &$@=;:+,?]+")
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(b|kb|mb|gb|kib|mib|gib)?", re.IGNORECASE)
UNITS = {"b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1024, "mib": 1024**2, "gib": 1024**3}


def object_name(value: object) -> str:
    """Return a name an object may have. Raises StorageError."""
    name = value if isinstance(value, str) else ""
    parts = name.split("/")
    if not OBJECT.fullmatch(name) or len(name.encode()) > 1024 or {".", "..", ""} & set(parts):
        raise StorageError(400, "InvalidKey", f"Invalid key: {name[:200]}")
    return name


def bucket_name(value: object) -> str:
    """Return a name a bucket may have. Raises StorageError."""
    name = value if isinstance(value, str) else ""
    if not BUCKET.fullmatch(name) or not 0 < len(name) <= 100 or name != name.strip() or name in (".", ".."):
        raise StorageError(400, "InvalidRequest", "Bucket name invalid", "InvalidBucketName")
    return name


def size_limit(value: object) -> int | None:
    """Return a bucket's limit in bytes, given as a number or as `20MB`; None for none. Raises StorageError."""
    if value is None or value == "":
        return None
    match = SIZE.fullmatch(str(value).strip())
    if isinstance(value, bool) or not match:
        raise invalid("The requested file_size_limit is not a valid size")
    return int(float(match[1]) * UNITS[(match[2] or "b").lower()])


def kinds(value: object) -> list[str] | None:
    """Return the MIME types a bucket takes; None for all. Raises StorageError."""
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(each, str) and "/" in each for each in value):
        raise StorageError(422, "invalid_mime_type", "mime type is not valid", "InvalidMimeType")
    return value or None


def check_kind(kind: str, bucket: dict[str, Any]) -> None:
    """Raise StorageError when a bucket does not take files of `kind`."""
    allowed, plain = bucket["allowed_mime_types"], kind.partition(";")[0].strip().lower()
    group = plain.partition("/")[0] + "/*"
    if allowed and not {plain, group, "*/*"} & {each.lower() for each in allowed}:
        raise StorageError(415, "invalid_mime_type", f"mime type {plain} is not supported", "InvalidMimeType")
