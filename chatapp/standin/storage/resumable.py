"""Resumable uploads: TUS 1.0.0 (https://tus.io/protocols/resumable-upload) with creation, expiration and termination.

An upload that has begun is two files in `resumable/`: its bytes so far, whose number is the offset, and a note of
what it will be. Both outlive a restart, and are dropped after a day.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from .errors import StorageError, invalid, refused, too_large
from .files import Incoming
from .names import check_kind, object_name
from .service import FILE_LIMIT, Storage, number
from .uploads import Upload, metadata_of, probe, store, writing

VERSION = "1.0.0"
CONTENT = "application/offset+octet-stream"
LIFETIME_SECONDS = 86_400
MOST_BEGUN = 1000  # uploads that have begun and not ended; more are refused

_busy: set[str] = set()


@dataclass(frozen=True)
class Note:
    """What an upload will be."""

    bucket: str
    name: str
    length: int
    kind: str
    cache: str | None
    metadata: dict[str, Any]
    owner: str | None
    upsert: bool


async def options(storage: Storage, request: Request) -> Response:
    """Tell what is spoken."""
    told = {"tus-version": VERSION, "tus-extension": "creation,creation-with-upload,expiration,termination"}
    return Response(status_code=204, headers={**told, "tus-max-size": str(FILE_LIMIT)})


async def create(storage: Storage, request: Request) -> Response:
    """Begin an upload; the caller must be allowed to store what it will be."""
    claims, note = storage.claims(request), await _note(storage, request)
    await probe(storage, claims, note.bucket, note.name, writing(upsert=note.upsert))
    upload_id = str(uuid.uuid4())
    folder = storage.files.resumable
    if sum(1 for _ in folder.iterdir()) >= 2 * MOST_BEGUN:
        raise StorageError(429, "TooManyUploads", "Too many uploads have begun: end some of them")
    (folder / f"{upload_id}.json").write_text(json.dumps(asdict(note)))
    (folder / upload_id).touch(mode=0o600)
    offset = await _append(storage, request, claims, upload_id)
    location = f"{storage.keys.record.url}/storage/v1/upload/resumable/{upload_id}"
    return Response(status_code=201, headers={"location": location, "upload-offset": str(offset)})


async def offset(storage: Storage, request: Request) -> Response:
    """Tell how much has arrived."""
    _, path, note = _begun(storage, request, storage.claims(request))
    told = {"upload-offset": str(path.stat().st_size), "upload-length": str(note.length), "cache-control": "no-store"}
    return Response(status_code=200, headers=told)


async def append(storage: Storage, request: Request) -> Response:
    """Take more bytes, from where the last ones ended; with the last ones the object is stored."""
    claims = storage.claims(request)
    upload_id, path, _ = _begun(storage, request, claims)
    if request.headers.get("content-type") != CONTENT:
        raise StorageError(415, "InvalidRequest", f"The content type must be {CONTENT}")
    if number(request.headers.get("upload-offset"), "Upload-Offset", -1, FILE_LIMIT) != path.stat().st_size:
        raise StorageError(409, "InvalidOffset", "Upload-Offset is not where the last bytes ended")
    return Response(status_code=204, headers={"upload-offset": str(await _append(storage, request, claims, upload_id))})


async def cancel(storage: Storage, request: Request) -> Response:
    """End an upload and forget it."""
    upload_id, *_ = _begun(storage, request, storage.claims(request))
    with _alone(upload_id):
        _forget(storage, upload_id)
    return Response(status_code=204)


def _begun(storage: Storage, request: Request, claims: dict[str, Any]) -> tuple[str, Path, Note]:
    """Return an upload of the caller's own that has begun. Raises StorageError."""
    _check_version(request)
    try:
        upload_id = str(uuid.UUID(request.path_params["id"]))
        note = Note(**json.loads((storage.files.resumable / f"{upload_id}.json").read_text()))
    except (ValueError, FileNotFoundError) as error:
        raise StorageError(404, "NoSuchUpload", "There is no such upload, or it has ended") from error
    if note.owner != claims.get("sub"):
        raise refused()
    return upload_id, storage.files.resumable / upload_id, note


def _check_version(request: Request) -> None:
    if request.headers.get("tus-resumable") != VERSION:
        raise StorageError(412, "InvalidRequest", f"Tus-Resumable must be {VERSION}")


async def _note(storage: Storage, request: Request) -> Note:
    """Read what an upload will be. Raises StorageError."""
    _check_version(request)
    told, claims = _told(request.headers.get("upload-metadata", "")), storage.claims(request)
    bucket = await storage.bucket(told.get("bucketName", ""))
    length = number(request.headers.get("upload-length"), "Upload-Length", -1, 1 << 50)
    if length < 0:
        raise invalid("Upload-Length is missing")
    if length > min(FILE_LIMIT, bucket["file_size_limit"] or FILE_LIMIT):
        raise too_large()
    kind, name = told.get("contentType") or Upload.kind, object_name(told.get("objectName"))
    check_kind(kind, bucket)
    upsert = request.headers.get("x-upsert", "").lower() == "true"
    about = metadata_of(told.get("metadata"), encoded=False)
    return Note(bucket["id"], name, length, kind, told.get("cacheControl"), about, claims.get("sub"), upsert)


def _told(header: str) -> dict[str, str]:
    """Read `Upload-Metadata`: names and base64 values, by comma. Raises StorageError."""
    pairs = (each.strip().partition(" ") for each in header.split(",") if each.strip())
    try:
        return {name: base64.b64decode(value, validate=True).decode() for name, _, value in pairs}
    except (binascii.Error, UnicodeError) as error:
        raise invalid("Upload-Metadata cannot be read") from error


async def _append(storage: Storage, request: Request, claims: dict[str, Any], upload_id: str) -> int:
    """Write what comes and return how much there is now. What came before a cut stays: that is the point."""
    path = storage.files.resumable / upload_id
    note = Note(**json.loads(path.with_suffix(".json").read_text()))
    with _alone(upload_id), path.open("ab") as file:
        size = path.stat().st_size
        async for chunk in _chunks(request):
            size += len(chunk)
            if size > note.length:
                raise StorageError(413, "InvalidRequest", "More bytes came than Upload-Length said")
            await asyncio.to_thread(file.write, chunk)
        file.flush()
        if size == note.length:
            await _end(storage, claims, upload_id, note)
    return size


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    with contextlib.suppress(ClientDisconnect):
        async for chunk in request.stream():
            yield chunk


async def _end(storage: Storage, claims: dict[str, Any], upload_id: str, note: Note) -> None:
    path = storage.files.resumable / upload_id
    try:
        incoming = await asyncio.to_thread(Incoming.of, path)
        upload = Upload(note.kind, note.cache, note.metadata)
        await store(storage, claims, note.bucket, note.name, incoming, upload, writing(upsert=note.upsert))
    finally:
        _forget(storage, upload_id)


def _forget(storage: Storage, upload_id: str) -> None:
    for name in (upload_id, f"{upload_id}.json"):
        (storage.files.resumable / name).unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(upload_id: str) -> Any:
    """Two writers at once would each take the other's bytes for their own."""
    if upload_id in _busy:
        raise StorageError(423, "Locked", "Another request writes to this upload")
    _busy.add(upload_id)
    try:
        yield
    finally:
        _busy.discard(upload_id)


async def sweep(storage: Storage) -> None:
    """Drop uploads that began a day ago, from time to time."""
    while True:
        for path in tuple(storage.files.resumable.iterdir()):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > LIFETIME_SECONDS:
                    path.unlink()
        await asyncio.sleep(600)


def answered(response: Response) -> Response:
    """Mark an answer as TUS, and give a refusal its own status: these clients read no bodies."""
    response.headers["tus-resumable"] = VERSION
    if isinstance(response, JSONResponse) and response.status_code == 400:
        response.status_code = int(json.loads(bytes(response.body))["statusCode"])
    return response
