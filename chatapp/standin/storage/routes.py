"""The endpoints under `/storage/v1`."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import buckets, downloads, images, objects, resumable, uploads
from .errors import StorageError
from .service import Handler, Storage, endpoint

MISSING = {
    "upload": "resumable uploads to signed addresses",
    "s3": "S3 protocol",
    "iceberg": "analytics buckets",
    "vector": "vector buckets",
}


async def status(storage: Storage, request: Request) -> dict[str, str]:
    """Tell that Storage is there."""
    return {"status": "ok"}


async def missing(storage: Storage, request: Request) -> JSONResponse:
    """Refuse what a hosted project has and this one has not."""
    first = request.path_params["path"].split("/")[0]
    if first in MISSING:
        message = f"The local stand-in has no {MISSING[first]} yet: use a hosted Supabase project for it."
        return StorageError(501, "NotImplemented", message).response()
    return JSONResponse({"statusCode": "404", "error": "Not Found", "message": f"Route /{first} not found"}, 404)


async def open_storage(storage: Storage) -> None:
    """Make the folders, and drop files no row names: those kept when a process was killed before their row was there.

    Before anything is served: an upload that is just being committed would look the same.
    """
    await asyncio.to_thread(storage.files.prepare)
    versions = await asyncio.to_thread(storage.files.versions)
    async with storage.database.transaction() as connection:
        rows = await (await connection.execute("select version from storage.objects")).fetchall()
    await storage.files.drop(*(versions - {row["version"] for row in rows}))


def storage_routes(storage: Storage) -> list[Route]:
    """Return Storage's routes, most particular first."""

    def route(path: str, handler: Handler, *methods: str) -> Route:
        return Route(f"/storage/v1{path}", endpoint(storage, handler), methods=[*methods])

    def tus(path: str, handler: Handler, method: str) -> Route:
        answer = endpoint(storage, handler)

        async def respond(request: Request) -> Response:
            return resumable.answered(await answer(request))

        return Route(f"/storage/v1/upload/resumable{path}", respond, methods=[method])

    one = "{bucket}/{path:path}"
    return [
        route("/status", status, "GET"),
        route("/bucket", buckets.create, "POST"),
        route("/bucket", buckets.list_all, "GET"),
        route("/bucket/{bucket}", buckets.get, "GET"),
        route("/bucket/{bucket}", buckets.change, "PUT"),
        route("/bucket/{bucket}", buckets.delete, "DELETE"),
        route("/bucket/{bucket}/empty", buckets.empty, "POST"),
        route("/object/list/{bucket}", objects.list_folder, "POST"),
        route("/object/list-v2/{bucket}", objects.list_pages, "POST"),
        route("/object/move", objects.move, "POST"),
        route("/object/copy", objects.copy, "POST"),
        route(f"/object/public/{one}", downloads.get_public, "GET"),
        route(f"/object/authenticated/{one}", downloads.get, "GET"),
        route(f"/object/info/public/{one}", downloads.public_info, "GET"),
        route(f"/object/info/authenticated/{one}", downloads.info, "GET"),
        route(f"/object/info/{one}", downloads.info, "GET"),
        route(f"/object/upload/sign/{one}", uploads.create_signed, "POST"),
        route(f"/object/upload/sign/{one}", uploads.upload_signed, "PUT"),
        route(f"/object/sign/{one}", downloads.get_signed, "GET"),
        route(f"/object/sign/{one}", downloads.sign, "POST"),
        route("/object/sign/{bucket}", downloads.sign_many, "POST"),
        route(f"/object/{one}", downloads.get, "GET"),
        route(f"/object/{one}", uploads.create, "POST"),
        route(f"/object/{one}", uploads.update, "PUT"),
        route(f"/object/{one}", objects.remove, "DELETE"),
        route("/object/{bucket}", objects.remove_many, "DELETE"),
        route(f"/render/image/public/{one}", images.get_public, "GET"),
        route(f"/render/image/authenticated/{one}", images.get, "GET"),
        route(f"/render/image/sign/{one}", images.get_signed, "GET"),
        tus("", resumable.options, "OPTIONS"),
        tus("", resumable.create, "POST"),
        tus("/{id}", resumable.options, "OPTIONS"),
        tus("/{id}", resumable.offset, "HEAD"),
        tus("/{id}", resumable.append, "PATCH"),
        tus("/{id}", resumable.cancel, "DELETE"),
        route("/{path:path}", missing, "GET", "POST", "PUT", "PATCH", "DELETE"),
    ]
