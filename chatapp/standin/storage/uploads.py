"""Taking files in: a form or plain bytes, streamed to disk, then a row that policies let the caller write."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from psycopg.types.json import Jsonb
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from chatapp.standin.database import Connection, Row, impersonate, one, only

from .errors import StorageError, invalid, no_object
from .files import Incoming
from .names import check_kind, object_name
from .service import FILE_LIMIT, Storage

FIELD_LIMIT = 1_000_000  # bytes of a form's other fields
SIGNED_UPLOAD_SECONDS = 7200  # as hosted

Write = Callable[[Connection, dict[str, Any]], Awaitable[None]]


@dataclass
class Upload:
    """What came with a file."""

    kind: str = "application/octet-stream"
    cache: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


async def create(storage: Storage, request: Request) -> dict[str, Any]:
    """Store a new object, or a new version of one with `x-upsert: true`."""
    claims = storage.claims(request)
    upsert = request.headers.get("x-upsert", "").lower() == "true"
    return await _store(storage, request, claims, writing(upsert=upsert))


async def update(storage: Storage, request: Request) -> dict[str, Any]:
    """Store a new version of an object that is there."""
    return await _store(storage, request, storage.claims(request), _update)


async def create_signed(storage: Storage, request: Request) -> dict[str, Any]:
    """Return an address that one object can be uploaded to without any key; the caller must be allowed to."""
    claims, bucket, name = storage.claims(request), request.path_params["bucket"], _name(request)
    upsert = request.headers.get("x-upsert", "").lower() == "true"
    await storage.bucket(bucket)
    await probe(storage, claims, bucket, name, writing(upsert=upsert))
    moment = int(datetime.now(UTC).timestamp())
    more = {"owner": claims.get("sub"), "upsert": upsert}
    token = storage.sign("upload", f"{bucket}/{name}", SIGNED_UPLOAD_SECONDS, moment, **more)
    return {"url": f"/object/upload/sign/{bucket}/{name}?token={token}", "token": token}


async def upload_signed(storage: Storage, request: Request) -> dict[str, Any]:
    """Store an object at a signed address."""
    url = f"{request.path_params['bucket']}/{_name(request)}"
    signed = storage.opened("upload", url, request.query_params.get("token"))
    claims = {"role": "service_role", "sub": signed["owner"]} if signed["owner"] else {"role": "service_role"}
    return await _store(storage, request, claims, writing(upsert=signed["upsert"]))


def _name(request: Request) -> str:
    return object_name(request.path_params["path"])


async def _store(storage: Storage, request: Request, claims: dict[str, Any], write: Write) -> dict[str, Any]:
    """Ask the policies first, so that what must not be stored is not even received; and again once it is there."""
    bucket, name = await storage.bucket(request.path_params["bucket"]), _name(request)
    await probe(storage, claims, bucket["id"], name, write)
    limit = min(FILE_LIMIT, bucket["file_size_limit"] or FILE_LIMIT)
    async with storage.files.receive(limit) as incoming:
        upload = await _receive(request, incoming)
        check_kind(upload.kind, bucket)
        return await store(storage, claims, bucket["id"], name, incoming, upload, write)


async def store(  # noqa: PLR0917 - what, where and how
    storage: Storage,
    claims: dict[str, Any],
    bucket: str,
    name: str,
    incoming: Incoming,
    upload: Upload,
    write: Write,
) -> dict[str, Any]:
    """Keep a file that arrived whole as an object. Raises StorageError where a policy says no."""
    await storage.files.keep(incoming)
    row = _row(bucket, name, claims) | _told(upload, incoming)
    stored, before = await _written(storage, claims, row, write)
    await storage.files.drop(before)
    return {"Id": str(stored["id"]), "Key": f"{bucket}/{name}"}


async def probe(storage: Storage, claims: dict[str, Any], bucket: str, name: str, write: Write) -> None:
    """Let the caller write an empty object and take it back. Raises StorageError where a policy says no."""
    async with storage.database.transaction(rollback=True) as connection:
        await _ask(connection, claims, _row(bucket, name, claims), write)


def writing(*, upsert: bool) -> Write:
    """Return how a new object is written."""
    return _insert_or_update if upsert else _insert


async def _ask(connection: Connection, claims: dict[str, Any], row: dict[str, Any], write: Write) -> None:
    """Let the caller write and take it back: the right to insert is enough, what is written need not be readable."""
    async with connection.transaction(force_rollback=True):
        await impersonate(connection, claims)
        await write(connection, row)


async def _written(
    storage: Storage, claims: dict[str, Any], row: dict[str, Any], write: Write
) -> tuple[Row, str | None]:
    """Write the row; return it and the version it replaced. Where that fails, the new file goes."""
    query = "select id, version from storage.objects where bucket_id = %s and name = %s for update"
    try:
        async with storage.database.transaction() as connection:
            # No row can be locked while there is none: of two first uploads, one would not know which file it replaces.
            await one(connection, _ALONE, f"{row['bucket_id']}/{row['name']}")
            old = await one(connection, query, row["bucket_id"], row["name"])
            await _ask(connection, claims, row, write)
            await write(connection, row)
            return await only(connection, query, row["bucket_id"], row["name"]), old["version"] if old else None
    except BaseException:
        await storage.files.drop(row["version"])
        raise


_ALONE = "select pg_advisory_xact_lock(hashtextextended(%s, 0))"


def _row(bucket: str, name: str, claims: dict[str, Any]) -> dict[str, Any]:
    owner = claims.get("sub")
    empty = {"version": None, "metadata": None, "user_metadata": None}
    return {"bucket_id": bucket, "name": name, "owner": owner, "owner_id": owner, **empty}


def _told(upload: Upload, incoming: Incoming) -> dict[str, Any]:
    about = {
        "eTag": incoming.etag,
        "size": incoming.size,
        "mimetype": upload.kind,
        "cacheControl": _cache(upload.cache),
        "lastModified": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "contentLength": incoming.size,
        "httpStatusCode": 200,
    }
    return {"version": incoming.version, "metadata": Jsonb(about), "user_metadata": Jsonb(upload.metadata)}


def _cache(given: str | None) -> str:
    given = (given or "").strip()
    return f"max-age={given}" if given.isascii() and given.isdigit() else given or "no-cache"


_COLUMNS = "bucket_id, name, owner, owner_id, version, metadata, user_metadata"
_VALUES = "%(bucket_id)s, %(name)s, %(owner)s, %(owner_id)s, %(version)s, %(metadata)s, %(user_metadata)s"
_SET = """owner = %(owner)s, owner_id = %(owner_id)s, version = %(version)s, metadata = %(metadata)s,
  user_metadata = %(user_metadata)s, updated_at = now(), last_accessed_at = now()"""


_INSERT = f"insert into storage.objects ({_COLUMNS}) values ({_VALUES})"  # noqa: S608 - our own text
_OVER = f"{_INSERT} on conflict (bucket_id, name) do update set {_SET}"
_UPDATE = f"update storage.objects set {_SET} where bucket_id = %(bucket_id)s and name = %(name)s"  # noqa: S608 - our own text


async def _insert(connection: Connection, row: dict[str, Any]) -> None:
    await connection.execute(_INSERT, row)


async def _insert_or_update(connection: Connection, row: dict[str, Any]) -> None:
    await connection.execute(_OVER, row)


async def _update(connection: Connection, row: dict[str, Any]) -> None:
    if not (await connection.execute(_UPDATE, row)).rowcount:
        raise no_object()


async def _receive(request: Request, incoming: Incoming) -> Upload:
    kind = request.headers.get("content-type", "")
    if kind.lower().startswith("multipart/form-data"):
        return await _receive_form(request.stream(), kind, incoming)
    async for chunk in request.stream():
        await incoming.write(chunk)
    cache = request.headers.get("cache-control")
    return Upload(kind or Upload.kind, cache, metadata_of(request.headers.get("x-metadata"), encoded=True))


async def _receive_form(stream: AsyncIterator[bytes], kind: str, incoming: Incoming) -> Upload:
    """Take the one file of a form, and its fields `cacheControl` and `metadata`."""
    form = _Form()
    boundary = parse_options_header(kind)[1].get(b"boundary")
    if not boundary:
        raise invalid("The form has no boundary")
    try:
        parser = MultipartParser(boundary, form.callbacks())  # type: ignore[arg-type]  # a subset will do
        async for chunk in stream:
            parser.write(chunk)
            await form.drain(incoming)
        parser.finalize()
    except FormParserError as error:
        raise invalid("The form cannot be read") from error
    if form.kind is None or not form.whole:
        raise invalid("The form has no file, or ended before it did")
    return Upload(form.kind, form.text("cacheControl"), metadata_of(form.text("metadata"), encoded=False))


class _Form:
    """What the parser has read and nobody has taken yet: never more than one chunk of the request."""

    def __init__(self) -> None:
        self.kind: str | None = None
        self.whole = False
        self._fields: dict[str, bytes] = {}
        self._headers: dict[str, bytes] = {}
        self._name, self._value, self._field = b"", b"", ""
        self._is_file = False
        self._waiting: list[bytes] = []

    def callbacks(self) -> dict[str, Any]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._data,
            "on_end": self._end,
        }

    async def drain(self, incoming: Incoming) -> None:
        waiting, self._waiting = self._waiting, []
        for chunk in waiting:
            await incoming.write(chunk)

    def text(self, name: str) -> str | None:
        value = self._fields.get(name)
        return value.decode(errors="replace") if value is not None else None

    def _begin(self) -> None:
        self._headers, self._name, self._value = {}, b"", b""

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value
        self._name, self._value = b"", b""

    def _headers_end(self) -> None:
        options = parse_options_header(self._headers.get("content-disposition", b""))[1]
        self._field = options.get(b"name", b"").decode(errors="replace")
        is_file = b"filename" in options
        if is_file and self.kind is not None:
            raise StorageError(400, "InvalidRequest", "The form has more than one file")
        if is_file:
            self.kind = self._headers.get("content-type", b"application/octet-stream").decode("latin-1")
        self._is_file = is_file

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._waiting.append(data[start:end])
            return
        if sum(map(len, self._fields.values())) + end - start > FIELD_LIMIT:
            raise StorageError(413, "Payload too large", "The form's fields are too large")
        self._fields[self._field] = self._fields.get(self._field, b"") + data[start:end]

    def _end(self) -> None:
        self.whole = True


def metadata_of(text: str | None, *, encoded: bool) -> dict[str, Any]:
    """Return the caller's own metadata: JSON, in a header as base64. Raises StorageError."""
    if not text:
        return {}
    try:
        value = json.loads(base64.b64decode(text, validate=True) if encoded else text)
    except (ValueError, RecursionError) as error:
        raise invalid("metadata must be a JSON object") from error
    if not isinstance(value, dict):
        raise invalid("metadata must be a JSON object")
    return value
