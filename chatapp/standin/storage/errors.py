"""Storage's refusals. The HTTP status is 400 whatever happened, as hosted: the one that counts stands in the body."""

from __future__ import annotations

from starlette.responses import JSONResponse


class StorageError(Exception):
    """A refusal: the status it stands for, its names for programs, and a sentence.

    Older clients read the name in `error`, newer ones the one in `code`
    (https://supabase.com/docs/guides/storage/debugging/error-codes); where they differ both are given.
    """

    def __init__(self, status: int, error: str, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.error, self.message, self.code = status, error, message, code or error

    def response(self) -> JSONResponse:
        body = {"statusCode": str(self.status), "error": self.error, "message": self.message, "code": self.code}
        return JSONResponse(body, self.status if self.status >= 500 else 400)


def invalid(message: str) -> StorageError:
    """What was sent is not what the endpoint takes."""
    return StorageError(400, "InvalidRequest", message)


def no_object() -> StorageError:
    """One answer for "not there" and "not yours"."""
    return StorageError(404, "not_found", "Object not found", "NoSuchKey")


def no_bucket() -> StorageError:
    """There is no such bucket, or the caller may not see it."""
    return StorageError(404, "Bucket not found", "Bucket not found", "NoSuchBucket")


def refused() -> StorageError:
    """A policy says no."""
    return StorageError(403, "Unauthorized", "new row violates row-level security policy", "AccessDenied")


def duplicate() -> StorageError:
    """The name is taken."""
    return StorageError(409, "Duplicate", "The resource already exists", "ResourceAlreadyExists")


def too_large() -> StorageError:
    """More bytes than the bucket or the project takes."""
    return StorageError(413, "Payload too large", "The object exceeded the maximum allowed size", "EntityTooLarge")


def bad_token(message: str) -> StorageError:
    """The caller or a signed address cannot be believed."""
    return StorageError(403, "Unauthorized", message, "InvalidJWT")
