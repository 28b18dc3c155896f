"""Giving files out: to whom policies allow, to anybody from public buckets, and by signed addresses."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from chatapp.standin.database import Row, every, one

from .errors import StorageError, no_bucket, no_object
from .names import object_name
from .service import Storage, body_of, number

# An uploaded page must not run as one of ours: it would be of the same origin as the outbox.
HARMLESS = {"content-security-policy": "default-src 'none'; sandbox", "x-content-type-options": "nosniff"}
LONGEST_SECONDS = 10 * 365 * 86_400
QUERY = "select * from storage.objects where bucket_id = %s and name = %s and version is not null"


async def visible(storage: Storage, request: Request) -> Row:
    """Return the object an address names if its caller may select it. Raises StorageError."""
    bucket = await storage.bucket(request.path_params["bucket"])
    if bucket["public"] and "authorization" not in request.headers and "apikey" not in request.headers:
        return await public_row(storage, request)
    async with storage.as_caller(storage.claims(request)) as connection:
        row = await one(connection, QUERY, bucket["id"], object_name(request.path_params["path"]))
    if row is None:
        raise no_object()
    return row


async def public_row(storage: Storage, request: Request) -> Row:
    """Return an object of a public bucket. Raises StorageError; a private bucket is as good as none."""
    bucket = await storage.bucket(request.path_params["bucket"])
    name = object_name(request.path_params["path"])
    row = await storage.database.one(QUERY, bucket["id"], name) if bucket["public"] else None
    if row is None:
        raise no_object() if bucket["public"] else no_bucket()
    return row


async def signed_row(storage: Storage, request: Request) -> tuple[Row, dict[str, Any]]:
    """Return the object a signed address is for, and what was signed. Raises StorageError."""
    bucket, name = request.path_params["bucket"], object_name(request.path_params["path"])
    signed = storage.opened("download", f"{bucket}/{name}", request.query_params.get("token"))
    row = await storage.database.one(QUERY, bucket, name)
    if row is None:
        raise no_object()
    return row, signed


async def get(storage: Storage, request: Request) -> Response:
    """Return an object's bytes, or a range of them."""
    return file_response(storage, request, await visible(storage, request))


async def get_public(storage: Storage, request: Request) -> Response:
    """The same, without any key, from a public bucket."""
    return file_response(storage, request, await public_row(storage, request))


async def get_signed(storage: Storage, request: Request) -> Response:
    """The same, by a signed address."""
    row, _ = await signed_row(storage, request)
    return file_response(storage, request, row)


async def info(storage: Storage, request: Request) -> dict[str, Any]:
    """Return what is known of an object."""
    return _about(await visible(storage, request))


async def public_info(storage: Storage, request: Request) -> dict[str, Any]:
    """Return what is known of an object of a public bucket."""
    return _about(await public_row(storage, request))


async def sign(storage: Storage, request: Request) -> dict[str, Any]:
    """Return an address anybody can read one object by, for a while; the caller must be allowed to read it."""
    body = await body_of(request)
    seconds, row, transform = _seconds(body), await visible(storage, request), body.get("transform")
    address = _address(
        storage, row["bucket_id"], row["name"], seconds, transform if isinstance(transform, dict) else {}
    )
    return {"signedURL": address}


async def sign_many(storage: Storage, request: Request) -> list[dict[str, Any]]:
    """The same for several objects; those the caller may not read are named."""
    claims, body, bucket = storage.claims(request), await body_of(request), request.path_params["bucket"]
    paths, seconds = body.get("paths"), _seconds(body)
    if not isinstance(paths, list) or not all(isinstance(each, str) for each in paths) or len(paths) > 500:
        raise StorageError(400, "InvalidRequest", "paths must be a list of up to 500 names")
    await storage.bucket(bucket)
    async with storage.as_caller(claims) as connection:
        query = "select name from storage.objects where bucket_id = %s and name = any(%s) and version is not null"
        seen = {row["name"] for row in await every(connection, query, bucket, paths)}
    refusal = "Either the object does not exist or you do not have access to it"
    return [
        {"error": None, "path": path, "signedURL": _address(storage, bucket, path, seconds)}
        if path in seen
        else {"error": refusal, "path": path, "signedURL": None}
        for path in paths
    ]


def _seconds(body: dict[str, Any]) -> int:
    seconds = number(body.get("expiresIn"), "expiresIn", 0, LONGEST_SECONDS)
    if seconds < 1:
        raise StorageError(400, "InvalidRequest", "expiresIn must be >= 1")
    return seconds


def _address(storage: Storage, bucket: str, name: str, seconds: int, transform: dict[str, Any] | None = None) -> str:
    kind, more = ("render/image", {"transform": transform}) if transform else ("object", {})
    token = storage.sign("download", f"{bucket}/{name}", seconds, int(datetime.now(UTC).timestamp()), **more)
    return f"/{kind}/sign/{bucket}/{name}?token={token}"  # not escaped, as hosted: the clients do that


def file_response(storage: Storage, request: Request, row: Row) -> Response:
    """Return the bytes as they are, or the range of them that was asked for."""
    about = row["metadata"] or {}
    headers = {
        **HARMLESS,
        "etag": about.get("eTag", ""),
        "cache-control": about.get("cacheControl", "no-cache"),
        "last-modified": format_datetime(row["updated_at"].astimezone(UTC), usegmt=True),
        **_disposition(request, row["name"]),
    }
    if headers["etag"] in [each.strip() for each in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    path = storage.files.path(row["version"])
    if not path.exists():
        raise no_object()
    return FileResponse(path, media_type=about.get("mimetype", "application/octet-stream"), headers=headers)


def _disposition(request: Request, name: str) -> dict[str, str]:
    """`?download` saves instead of showing, `?download=name` under another name."""
    wanted = request.query_params.get("download")
    if wanted is None:
        return {}
    quoted = quote(wanted or name.rsplit("/", maxsplit=1)[-1], safe="")
    return {"content-disposition": f"attachment; filename={quoted}; filename*=UTF-8''{quoted}"}


def _about(row: Row) -> dict[str, Any]:
    about = row["metadata"] or {}
    return {
        "id": str(row["id"]),
        "name": row["name"],
        "version": row["version"],
        "bucket_id": row["bucket_id"],
        "size": about.get("size"),
        "content_type": about.get("mimetype"),
        "cache_control": about.get("cacheControl"),
        "etag": about.get("eTag"),
        "metadata": row["user_metadata"] or {},
        "last_modified": row["updated_at"].isoformat(),
        "created_at": row["created_at"].isoformat(),
    }
