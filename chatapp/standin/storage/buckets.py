"""Buckets: `/storage/v1/bucket`. Policies on `storage.buckets` decide; without any, only the secret key may."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from chatapp.standin.database import Row, every, one

from .errors import StorageError, no_bucket
from .names import bucket_name, kinds, size_limit
from .service import Storage, body_of, number


async def create(storage: Storage, request: Request) -> dict[str, Any]:
    """Make a bucket."""
    claims, body = storage.claims(request), await body_of(request)
    name = bucket_name(body.get("name") or body.get("id"))
    async with storage.as_caller(claims) as connection:
        await connection.execute(
            """insert into storage.buckets (id, name, owner, owner_id, public, file_size_limit, allowed_mime_types)
               values (%s, %s, %s, %s, %s, %s, %s)""",
            (
                bucket_name(body.get("id") or name),
                name,
                claims.get("sub"),
                claims.get("sub"),
                bool(body.get("public")),
                size_limit(body.get("file_size_limit")),
                kinds(body.get("allowed_mime_types")),
            ),
        )
    return {"name": name}


async def list_all(storage: Storage, request: Request) -> list[dict[str, Any]]:
    """Return the buckets the caller may see."""
    claims, given = storage.claims(request), request.query_params
    limit, offset = number(given.get("limit"), "limit", 100, 1000), number(given.get("offset"), "offset", 0, 1 << 31)
    async with storage.as_caller(claims) as connection:
        rows = await every(
            connection,
            "select * from storage.buckets where name ilike %s order by name limit %s offset %s",
            f"%{given.get('search', '')}%",
            limit,
            offset,
        )
    return [_json(row) for row in rows]


async def get(storage: Storage, request: Request) -> dict[str, Any]:
    """Return one bucket."""
    async with storage.as_caller(storage.claims(request)) as connection:
        row = await one(connection, "select * from storage.buckets where id = %s", request.path_params["bucket"])
    if row is None:
        raise no_bucket()
    return _json(row)


async def change(storage: Storage, request: Request) -> dict[str, Any]:
    """Change what was given: `public`, `file_size_limit`, `allowed_mime_types`."""
    claims, body = storage.claims(request), await body_of(request)
    async with storage.as_caller(claims) as connection:
        row = await one(
            connection,
            """update storage.buckets set updated_at = now(),
                 public = coalesce(%s, public),
                 file_size_limit = case when %s then %s else file_size_limit end,
                 allowed_mime_types = case when %s then %s else allowed_mime_types end
               where id = %s returning id""",
            bool(body["public"]) if "public" in body else None,
            "file_size_limit" in body,
            size_limit(body.get("file_size_limit")),
            "allowed_mime_types" in body,
            kinds(body.get("allowed_mime_types")),
            request.path_params["bucket"],
        )
    if row is None:
        raise no_bucket()
    return {"message": "Successfully updated"}


async def empty(storage: Storage, request: Request) -> dict[str, Any]:
    """Remove every object the caller may remove."""
    await get(storage, request)
    async with storage.as_caller(storage.claims(request)) as connection:
        rows = await every(
            connection,
            "delete from storage.objects where bucket_id = %s returning version",
            request.path_params["bucket"],
        )
    await storage.files.drop(*(row["version"] for row in rows))
    return {"message": "Successfully emptied"}


async def delete(storage: Storage, request: Request) -> dict[str, Any]:
    """Delete an empty bucket."""
    name = request.path_params["bucket"]
    await get(storage, request)
    if await storage.database.one("select 1 as one from storage.objects where bucket_id = %s limit 1", name):
        raise StorageError(409, "InvalidRequest", "The bucket you tried to delete is not empty")
    async with storage.as_caller(storage.claims(request)) as connection:
        if not await one(connection, "delete from storage.buckets where id = %s returning id", name):
            raise no_bucket()
    return {"message": "Successfully deleted"}


def _json(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "owner": row["owner_id"] or "",
        "public": row["public"],
        "type": "STANDARD",
        "file_size_limit": row["file_size_limit"],
        "allowed_mime_types": row["allowed_mime_types"],
        "created_at": row["created_at"].isoformat(),
        "updated_at": row["updated_at"].isoformat(),
    }
