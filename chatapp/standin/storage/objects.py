"""Objects by name: list, move, copy and remove, each as far as policies let the caller."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from psycopg.types.json import Jsonb
from starlette.requests import Request

from chatapp.standin.database import Row, every, one, only

from .errors import StorageError, invalid, no_object
from .names import object_name
from .service import Storage, body_of, number

SORTED_BY = {
    "name": "name",
    "created_at": "created_at",
    "updated_at": "updated_at",
    "last_accessed_at": "last_accessed_at",
}
MOST_LISTED = 1000
MOST_REMOVED = 1000


async def list_folder(storage: Storage, request: Request) -> list[dict[str, Any]]:
    """Return what is in one folder: its folders, then its objects."""
    claims, body = storage.claims(request), await body_of(request)
    prefix, search = str(body.get("prefix") or "").strip("/"), str(body.get("search") or "")
    prefix = f"{prefix}/" if prefix else ""
    column, order = _sorting(body.get("sortBy"))
    async with storage.as_caller(claims) as connection:
        rows = await every(
            connection,
            f"""with inside as (
                  select *, substr(name, char_length(%s) + 1) as rest from storage.objects
                  where bucket_id = %s and starts_with(name, %s)),
                entries as (
                  select distinct split_part(rest, '/', 1) as entry, null::uuid as id, null::timestamptz as created_at,
                    null::timestamptz as updated_at, null::timestamptz as last_accessed_at, null::jsonb as metadata
                  from inside where position('/' in rest) > 0
                  union all
                  select rest, id, created_at, updated_at, last_accessed_at, metadata from inside
                  where position('/' in rest) = 0)
                select * from entries where starts_with(lower(entry), lower(%s))
                order by id is not null, {"entry" if column == "name" else column} {order}, entry
                limit %s offset %s""",  # noqa: S608 - names and orders of our own
            prefix,
            request.path_params["bucket"],
            prefix,
            search,
            number(body.get("limit"), "limit", 100, MOST_LISTED),
            number(body.get("offset"), "offset", 0, 1 << 31),
        )
    return [{"name": row["entry"], **_entry(row)} for row in rows]


async def list_pages(storage: Storage, request: Request) -> dict[str, Any]:
    """Return a page of objects under a prefix and, `with_delimiter`, of folders, from a cursor on."""
    claims, body = storage.claims(request), await body_of(request)
    limit, after = number(body.get("limit"), "limit", MOST_LISTED, MOST_LISTED), _cursor(body.get("cursor"))
    column, order = _sorting(body.get("sortBy"))
    if column not in ("name", "created_at", "updated_at"):
        raise invalid("sortBy.column must be name, created_at or updated_at")
    beyond = "<" if order == "desc" else ">"
    key = "name" if column == "name" else f"coalesce({column}, 'epoch')::text || name"
    async with storage.as_caller(claims) as connection:
        rows = await every(
            connection,
            f"""with inside as (
                  select *, case when %s then position('/' in substr(name, char_length(%s) + 1)) else 0 end as cut
                  from storage.objects where bucket_id = %s and starts_with(name, %s)),
                entries as (
                  select distinct substr(name, 1, char_length(%s) + cut) as name, null::uuid as id,
                    null::timestamptz as created_at, null::timestamptz as updated_at,
                    null::timestamptz as last_accessed_at, null::jsonb as metadata from inside where cut > 0
                  union all
                  select name, id, created_at, updated_at, last_accessed_at, metadata from inside where cut = 0)
                select *, {key} as key from entries where %s::text is null or ({key}) collate "C" {beyond} %s
                order by ({key}) collate "C" {order} limit %s""",  # noqa: S608 - names and orders of our own
            bool(body.get("with_delimiter")),
            *[body.get("prefix") or "", request.path_params["bucket"]],
            *[body.get("prefix") or ""] * 2,
            after,
            after,
            limit + 1,
        )
    page = rows[:limit]
    answer: dict[str, Any] = {
        "hasNext": len(rows) > limit,
        "folders": [{"name": row["name"], "key": _last(row["name"])} for row in page if row["id"] is None],
        "objects": [
            {"name": row["name"], "key": _last(row["name"]), **_entry(row)} for row in page if row["id"] is not None
        ],
    }
    if answer["hasNext"]:
        answer["nextCursor"] = base64.urlsafe_b64encode(page[-1]["key"].encode()).decode()
    return answer


async def move(storage: Storage, request: Request) -> dict[str, Any]:
    """Give an object another name, and another bucket with `destinationBucket`. The bytes stay where they are."""
    claims, source, target = storage.claims(request), *_ends(body := await body_of(request))
    await storage.bucket(str(body.get("bucketId")))
    async with storage.as_caller(claims) as connection:
        moved = await one(
            connection,
            """update storage.objects set bucket_id = %s, name = %s, updated_at = now()
               where bucket_id = %s and name = %s returning id""",
            *target,
            *source,
        )
    if moved is None:
        raise no_object()
    return {"message": "Successfully moved", "Id": str(moved["id"]), "Key": "/".join(target)}


async def copy(storage: Storage, request: Request) -> dict[str, Any]:
    """Store the same bytes under another name; over what is there only with `x-upsert: true`."""
    claims, source, target = storage.claims(request), *_ends(body := await body_of(request))
    await storage.bucket(str(body.get("bucketId")))
    async with storage.as_caller(claims) as connection:
        row = await one(connection, "select * from storage.objects where bucket_id = %s and name = %s", *source)
    if row is None or not row["version"]:
        raise no_object()
    version, owner = await storage.files.copy(row["version"]), claims.get("sub")
    kept = row["user_metadata"] if body.get("copyMetadata", True) else {}
    upsert = request.headers.get("x-upsert", "").lower() == "true"
    try:
        async with storage.as_caller(claims) as connection:
            made = await only(
                connection,
                f"""insert into storage.objects (bucket_id, name, owner, owner_id, version, metadata, user_metadata)
                   values (%s, %s, %s, %s, %s, %s, %s) {_OVER if upsert else ""} returning id""",  # noqa: S608 - one of two constants
                *target,
                owner,
                owner,
                version,
                Jsonb(row["metadata"]),
                Jsonb(kept),
            )
    except BaseException:
        await storage.files.drop(version)
        raise
    return {"Id": str(made["id"]), "Key": "/".join(target)}


_OVER = """on conflict (bucket_id, name) do update set version = excluded.version, metadata = excluded.metadata,
  owner = excluded.owner, owner_id = excluded.owner_id, user_metadata = excluded.user_metadata, updated_at = now()"""


async def remove(storage: Storage, request: Request) -> dict[str, Any]:
    """Remove one object."""
    if not await _removed(storage, request, [object_name(request.path_params["path"])]):
        raise no_object()
    return {"message": "Successfully deleted"}


async def remove_many(storage: Storage, request: Request) -> list[dict[str, Any]]:
    """Remove objects; return those that were there and the caller's to remove."""
    names = (await body_of(request)).get("prefixes")
    if not isinstance(names, list) or not names or not all(isinstance(each, str) for each in names):
        raise invalid("prefixes must be a list of names")
    if len(names) > MOST_REMOVED:
        raise StorageError(400, "InvalidRequest", f"at most {MOST_REMOVED} objects at once")
    removed = await _removed(storage, request, names)
    return [{"bucket_id": row["bucket_id"], "name": row["name"], **_entry(row)} for row in removed]


async def _removed(storage: Storage, request: Request, names: list[str]) -> list[Row]:
    claims, bucket = storage.claims(request), await storage.bucket(request.path_params["bucket"])
    async with storage.as_caller(claims) as connection:
        rows = await every(
            connection,
            "delete from storage.objects where bucket_id = %s and name = any(%s) returning *",
            bucket["id"],
            names,
        )
    await storage.files.drop(*(row["version"] for row in rows))
    return rows


def _ends(body: dict[str, Any]) -> tuple[tuple[str, str], tuple[str, str]]:
    bucket = str(body.get("bucketId"))
    source = bucket, object_name(body.get("sourceKey"))
    return source, (str(body.get("destinationBucket") or bucket), object_name(body.get("destinationKey")))


def _sorting(given: object) -> tuple[str, str]:
    """Return column and order, each from a closed list: they become part of a statement. Raises StorageError."""
    wanted = given if isinstance(given, dict) else {}
    column, order = wanted.get("column") or "name", str(wanted.get("order") or "asc").lower()
    if column not in SORTED_BY or order not in ("asc", "desc"):
        raise invalid("sortBy must name a column and an order")
    return SORTED_BY[column], order


def _cursor(given: object) -> str | None:
    try:
        return base64.urlsafe_b64decode(str(given)).decode() if given else None
    except (binascii.Error, UnicodeError) as error:
        raise invalid("cursor is not one of ours") from error


def _entry(row: Row) -> dict[str, Any]:
    times = ("created_at", "updated_at", "last_accessed_at")
    told = {name: row[name].isoformat() if row[name] else None for name in times}
    return {"id": str(row["id"]) if row["id"] else None, **told, "metadata": row["metadata"]}


def _last(name: str) -> str:
    return name.rstrip("/").split("/")[-1]
