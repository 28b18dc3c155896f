"""Storage, through the unmodified clients, and what no client would send."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import os
import secrets
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest
from PIL import Image
from storage3.exceptions import StorageApiError
from supabase import create_client

from chatapp.standin.lifecycle import Project
from chatapp.standin.record import load_record
from chatapp.standin.storage.errors import StorageError
from chatapp.standin.storage.names import object_name, size_limit
from tests.standin.helpers import until


@pytest.fixture
async def buckets(clients, project: Project):
    """Make buckets with the secret key."""
    admin = await clients(project.secret_key)

    async def make(**options) -> str:
        name = f"bucket-{secrets.token_hex(4)}"
        await admin.storage.create_bucket(name, options=options)
        return name

    return make


@pytest.fixture
def own_folder(database: psycopg.Connection):
    """The policies of the documentation: everybody has a folder named after their id."""
    mine = "(storage.foldername(name))[1] = (select auth.uid()::text)"
    names = {"select": f"using ({mine})", "insert": f"with check ({mine})", "update": f"using ({mine})"}
    names["delete"] = f"using ({mine})"
    for verb, condition in names.items():
        database.execute(f"create policy {verb}_own on storage.objects for {verb} to authenticated {condition}")
    yield
    for verb in names:
        database.execute(f"drop policy {verb}_own on storage.objects")


async def refused(call) -> tuple[str, str]:
    with pytest.raises(StorageApiError) as refusal:
        await call
    return str(refusal.value.status), refusal.value.message


def files(shared_data: Path) -> set[str]:
    return {path.name for path in (shared_data / "storage").rglob("*") if path.is_file()}


async def test_a_file_goes_up_and_comes_down(sign_up, buckets, own_folder) -> None:
    ada, bucket = await sign_up("ada"), await buckets()
    own = ada.client.storage.from_(bucket)
    path, content = f"{ada.id}/folder/héllo wörld.txt", b"one\r\n--two" * 20_000
    answer = await own.upload(path, content, {"content-type": "text/plain", "metadata": {"colour": "red"}})
    assert (answer.path, answer.full_path) == (path, f"{bucket}/{path}")
    assert await own.download(path) == content
    about = await own.info(path)
    assert (about["size"], about["content_type"], about["metadata"]) == (len(content), "text/plain", {"colour": "red"})
    assert about["cache_control"] == "max-age=3600"
    assert await own.exists(path)
    assert not await own.exists(f"{ada.id}/nothing")


async def test_a_name_is_taken_unless_one_says_so(sign_up, buckets, own_folder, shared_data) -> None:
    ada, bucket = await sign_up("ada"), await buckets()
    own, path = ada.client.storage.from_(bucket), f"{ada.id}/a.txt"
    await own.upload(path, b"one")
    before = files(shared_data)
    assert await refused(own.upload(path, b"two")) == ("409", "The resource already exists")
    assert files(shared_data) == before
    await own.upload(path, b"three", {"upsert": "true"})
    assert await own.download(path) == b"three"
    await own.update(path, b"four")
    assert await own.download(path) == b"four"
    assert len(files(shared_data)) == len(before), "what is replaced is gone"
    assert (await refused(own.update(f"{ada.id}/nothing", b"")))[0] == "404"


async def test_two_first_uploads_of_one_name_leave_one_file(clients, project, buckets, shared_data, database) -> None:
    """Both are held where they write their rows, and neither finds a row to replace."""
    name = f"both-{secrets.token_hex(4)}"
    database.execute(
        f"""create function public.hold() returns trigger language plpgsql as $$ begin
              if new.name = '{name}' and new.version is not null then
                perform pg_advisory_xact_lock_shared(4711);
              end if;
              return new; end $$;
            create trigger hold before insert on storage.objects for each row execute function public.hold()"""
    )
    files = (await clients(project.secret_key)).storage.from_(await buckets())
    before = versions(shared_data)
    try:
        with database.transaction():
            database.execute("select pg_advisory_xact_lock(4711)")
            uploads = [asyncio.create_task(files.upload(name, text, {"upsert": "true"})) for text in (b"1", b"2")]
            waiting = "select 1 from pg_locks where locktype = 'advisory' and not granted having count(*) = 2"
            await until(lambda: database.execute(waiting).fetchone())
        await asyncio.gather(*uploads)
    finally:
        database.execute("drop trigger hold on storage.objects; drop function public.hold")
    kept = database.execute("select version::text from storage.objects where name = %s", [name]).fetchall()
    assert versions(shared_data) - before == {version for (version,) in kept}


def versions(data: Path) -> set[str]:
    return {path.name for path in (data / "storage" / "objects").glob("*/*")}


async def test_policies_decide_for_everything(sign_up, buckets, own_folder, shared_data) -> None:
    ada, linus, bucket = await sign_up("ada"), await sign_up("linus"), await buckets()
    path = f"{ada.id}/secret.txt"
    await ada.client.storage.from_(bucket).upload(path, b"secret")
    before, foreign = files(shared_data), linus.client.storage.from_(bucket)
    told = [
        await refused(foreign.upload(f"{ada.id}/mine.txt", b"x")),
        await refused(foreign.upload(path, b"x", {"upsert": "true"})),
        await refused(foreign.update(path, b"x")),
        await refused(foreign.download(path)),
        await refused(foreign.info(path)),
        await refused(foreign.create_signed_url(path, 60)),
        await refused(foreign.create_signed_upload_url(path)),
        await refused(foreign.move(path, f"{linus.id}/stolen.txt")),
        await refused(foreign.copy(path, f"{linus.id}/stolen.txt")),
    ]
    assert [status for status, _ in told] == ["403", "403", "404", "404", "404", "404", "403", "404", "404"]
    assert await foreign.list(ada.id) == []
    assert (await foreign.list_v2({"prefix": ada.id})).objects == []
    assert await foreign.remove([path]) == []
    assert (await foreign.create_signed_urls([path], 60))[0]["signedURL"] is None
    assert (files(shared_data), await ada.client.storage.from_(bucket).download(path)) == (before, b"secret")


async def test_who_may_only_insert_may_upload(sign_up, buckets, database) -> None:
    ada, bucket = await sign_up("ada"), await buckets()
    database.execute(f"create policy drop_box on storage.objects for insert with check (bucket_id = '{bucket}')")
    try:
        await ada.client.storage.from_(bucket).upload("a.txt", b"x")
    finally:
        database.execute("drop policy drop_box on storage.objects")
    row = database.execute("select owner_id from storage.objects where bucket_id = %s", [bucket]).fetchone()
    assert row == (ada.id,)


async def test_a_bucket_refuses_what_is_too_large_or_of_another_kind(clients, project, buckets, shared_data) -> None:
    admin = await clients(project.secret_key)
    bucket = await buckets(file_size_limit="1KB", allowed_mime_types=["image/*", "text/plain"])
    own, before = admin.storage.from_(bucket), files(shared_data)
    assert (await refused(own.upload("a.txt", b"x" * 1001, {"content-type": "text/plain"})))[0] == "413"
    assert (await refused(own.upload("a.html", b"x", {"content-type": "text/html"})))[0] == "415"
    assert files(shared_data) == before
    await own.upload("a.png", b"x" * 1000, {"content-type": "image/png"})
    assert (await admin.storage.get_bucket(bucket)).file_size_limit == 1000


async def test_buckets_are_made_changed_emptied_and_deleted(clients, project, buckets, sign_up) -> None:
    admin, bucket = (await clients(project.secret_key)).storage, await buckets()
    await admin.from_(bucket).upload("a.txt", b"x")
    await admin.update_bucket(bucket, {"public": True})
    assert (await admin.get_bucket(bucket)).public
    assert bucket in [each.name for each in await admin.list_buckets()]
    assert await refused(admin.delete_bucket(bucket)) == ("409", "The bucket you tried to delete is not empty")
    await admin.empty_bucket(bucket)
    await admin.delete_bucket(bucket)
    assert await refused(admin.get_bucket(bucket)) == ("404", "Bucket not found")
    ada = (await sign_up("ada")).client.storage
    assert (await refused(ada.create_bucket("hers")))[0] == "403"
    assert await ada.list_buckets() == []


async def test_a_public_bucket_needs_no_key_and_a_private_one_does(clients, project, buckets) -> None:
    admin = await clients(project.secret_key)
    async with httpx.AsyncClient() as http:
        for public, status in ((True, 200), (False, 400)):
            bucket = admin.storage.from_(await buckets(public=public))
            await bucket.upload("page.html", b"<script>", {"content-type": "text/html"})
            answer = await http.get(await bucket.get_public_url("page.html", {"download": "säve.html"}))
            assert answer.status_code == status
            if public:
                assert "sandbox" in answer.headers["content-security-policy"], "it is of the outbox's origin"
                told = "attachment; filename=s%C3%A4ve.html; filename*=UTF-8''s%C3%A4ve.html"
                assert answer.headers["content-disposition"] == told


async def test_ranges_and_unchanged_files(clients, project, buckets) -> None:
    admin = await clients(project.secret_key)
    bucket = admin.storage.from_(await buckets(public=True))
    await bucket.upload("a.bin", b"0123456789")
    url = await bucket.get_public_url("a.bin")
    async with httpx.AsyncClient() as http:
        part = await http.get(url, headers={"range": "bytes=2-4"})
        assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
        assert (await http.get(url, headers={"range": "bytes=99-"})).status_code == 416
        assert (await http.get(url, headers={"if-none-match": part.headers["etag"]})).status_code == 304
        head = await http.head(url)
        assert (head.status_code, head.headers["content-length"], head.content) == (200, "10", b"")


async def test_signed_addresses_open_one_object_for_a_while(clients, project, buckets) -> None:
    admin = await clients(project.secret_key)
    bucket = admin.storage.from_(await buckets())
    for name in ("a.txt", "b.txt"):
        await bucket.upload(name, name.encode())
    signed = (await bucket.create_signed_url("a.txt", 60))["signedURL"]
    token = parse_qs(urlsplit(signed).query)["token"][0]
    async with httpx.AsyncClient() as http:
        assert (await http.get(signed)).content == b"a.txt"
        assert (await http.get(signed.replace("a.txt", "b.txt"))).status_code == 400
        assert (await http.get(f"{signed[:-4]}AAAA")).status_code == 400
        as_person = {"apikey": project.publishable_key, "authorization": f"Bearer {token}"}
        assert (await http.get(f"{project.url}/auth/v1/user", headers=as_person)).status_code == 403
        short = (await bucket.create_signed_url("a.txt", 1))["signedURL"]
        for end in [time.monotonic() + 5]:
            while (await http.get(short)).status_code == 200:
                assert time.monotonic() < end
                await asyncio.sleep(0.1)  # until its second is over
    many = await bucket.create_signed_urls(["a.txt", "nothing"], 60)
    assert [bool(each["signedURL"]) for each in many] == [True, False]
    assert "does not exist" in many[1]["error"]


async def test_a_signed_upload_stores_one_object_without_a_key(sign_up, clients, buckets, own_folder, database) -> None:
    ada, bucket = await sign_up("ada"), await buckets()
    path = f"{ada.id}/a.txt"
    signed = await ada.client.storage.from_(bucket).create_signed_upload_url(path)
    nobody = (await clients()).storage.from_(bucket)
    elsewhere = nobody.upload_to_signed_url(f"{ada.id}/b.txt", signed["token"], b"x")
    assert (await refused(elsewhere))[0] == "400"
    await nobody.upload_to_signed_url(path, signed["token"], b"signed")
    assert await ada.client.storage.from_(bucket).download(path) == b"signed"
    assert (await refused(nobody.upload_to_signed_url(path, signed["token"], b"again")))[0] == "409"
    row = database.execute("select owner_id from storage.objects where name = %s", [path]).fetchone()
    assert row == (ada.id,)


async def test_folders_are_listed_before_files_and_in_pages(clients, project, buckets) -> None:
    bucket = (await clients(project.secret_key)).storage.from_(await buckets())
    for name in ("b.txt", "a.txt", "folder/c.txt", "folder/deep/d.txt", "a_b/e.txt"):
        await bucket.upload(name, b"x")
    top = await bucket.list()
    assert [(each["name"], each["id"] is None) for each in top] == [
        ("a_b", True),
        ("folder", True),
        ("a.txt", False),
        ("b.txt", False),
    ]
    assert [each["name"] for each in await bucket.list("folder")] == ["deep", "c.txt"]
    assert [each["name"] for each in await bucket.list(None, {"search": "a"})] == ["a_b", "a.txt"]
    newest = {"limit": 1, "offset": 2, "sortBy": {"column": "name", "order": "desc"}}
    assert [each["name"] for each in await bucket.list(None, newest)] == ["b.txt"]
    names, cursor = [], None
    while True:
        page = await bucket.list_v2({"limit": 2, **({"cursor": cursor} if cursor else {})})
        names += [each.name for each in page.objects]
        cursor = page.nextCursor
        if not page.hasNext:
            break
    assert names == ["a.txt", "a_b/e.txt", "b.txt", "folder/c.txt", "folder/deep/d.txt"]
    folders = await bucket.list_v2({"with_delimiter": True, "prefix": "folder/"})
    assert ([each.name for each in folders.folders], [each.name for each in folders.objects]) == (
        ["folder/deep/"],
        ["folder/c.txt"],
    )


async def test_moving_copying_and_removing(sign_up, buckets, own_folder, shared_data) -> None:
    ada, bucket = await sign_up("ada"), await buckets()
    own, home, before = ada.client.storage.from_(bucket), ada.id, files(shared_data)
    await own.upload(f"{home}/a.txt", b"x", {"metadata": {"n": 1}})
    await own.move(f"{home}/a.txt", f"{home}/b.txt")
    await own.copy(f"{home}/b.txt", f"{home}/c.txt")
    assert (await refused(own.copy(f"{home}/b.txt", f"{home}/c.txt")))[0] == "409"
    assert (await own.info(f"{home}/c.txt"))["metadata"] == {"n": 1}
    removed = await own.remove([f"{home}/b.txt", f"{home}/nothing"])
    assert [each["name"] for each in removed] == [f"{home}/b.txt"]
    assert await own.download(f"{home}/c.txt") == b"x"
    await own.remove([f"{home}/c.txt"])
    assert files(shared_data) == before


def test_the_synchronous_client_works_alike(project: Project) -> None:
    client = create_client(project.url, project.secret_key)
    name = f"sync-{secrets.token_hex(4)}"
    client.storage.create_bucket(name, options={"public": True})
    bucket = client.storage.from_(name)
    bucket.upload("a/b.txt", b"sync", {"content-type": "text/plain"})
    assert bucket.download("a/b.txt") == b"sync"
    assert httpx.get(bucket.get_public_url("a/b.txt")).headers["content-type"].startswith("text/plain")
    client.storage.empty_bucket(name)
    client.storage.delete_bucket(name)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a/../b", "a//b", "./a", "/a", "a/", "", "a\x00b", "a\\b", "x" * 1025, "a\nb", None, 1]
)
def test_names_that_lead_elsewhere_are_refused(name: object) -> None:
    with pytest.raises(StorageError):
        object_name(name)


def test_sizes() -> None:
    assert [size_limit(each) for each in (None, 5, "20MB", "1 MiB", "1.5kb")] == [None, 5, 20_000_000, 1_048_576, 1500]
    for wrong in (True, "much", "-1", [], "1e9"):
        with pytest.raises(StorageError):
            size_limit(wrong)


@pytest.mark.parametrize("path", ["..%2f..%2fstandin.json", "%2e%2e/standin.json", "a/..%2f..%2fb", "%00"])
async def test_no_address_leads_out_of_a_bucket(project, buckets, path: str) -> None:
    bucket = await buckets(public=True)
    async with httpx.AsyncClient() as http:
        for prefix in ("object/public", "object", "object/info/public", "object/sign"):
            url = f"{project.url}/storage/v1/{prefix}/{bucket}/{path}"
            answer = await http.get(url, headers={"apikey": project.secret_key})
            assert answer.status_code in (400, 404)
            assert "secret_key" not in answer.text


async def test_a_cut_upload_leaves_nothing(project, buckets, shared_data) -> None:
    bucket, before = await buckets(), files(shared_data)
    host = urlsplit(project.url)
    _, writer = await asyncio.open_connection(host.hostname, host.port)
    head = f"POST /storage/v1/object/{bucket}/cut.bin HTTP/1.1\r\nHost: x\r\napikey: {project.secret_key}\r\n"
    writer.write(f"{head}Content-Length: 1000000\r\n\r\n".encode() + b"x" * 100_000)
    await writer.drain()
    await _until(lambda: files(shared_data) != before)
    writer.close()
    await _until(lambda: files(shared_data) == before)
    async with httpx.AsyncClient() as http:
        url = f"{project.url}/storage/v1/object/{bucket}/cut.bin"
        assert (await http.get(url, headers={"apikey": project.secret_key})).json()["statusCode"] == "404"


async def _until(condition) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  # a folder tells nobody
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"nothing", "multipart/form-data"),
        (b"nothing", "multipart/form-data; boundary=x"),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n', "multipart/form-data; boundary=x"),
        (b'--x\r\nContent-Disposition: form-data; name=""; filename="a"\r\n\r\nb', "multipart/form-data; boundary=x"),
    ],
)
async def test_a_form_without_a_whole_file_is_refused(project, buckets, shared_data, content: bytes, kind: str) -> None:
    bucket, before = await buckets(), files(shared_data)
    async with httpx.AsyncClient() as http:
        headers = {"apikey": project.secret_key, "content-type": kind}
        answer = await http.post(f"{project.url}/storage/v1/object/{bucket}/a", headers=headers, content=content)
    assert (answer.status_code, answer.json()["statusCode"]) == (400, "400")
    assert files(shared_data) == before


async def test_a_large_file_is_not_held_in_memory(project, clients, buckets, shared_data) -> None:
    bucket = (await clients(project.secret_key)).storage.from_(await buckets())
    pid = load_record(shared_data).pid
    before, size = _peak(pid), 50 * 1024 * 1024
    await bucket.upload("large.bin", io.BufferedReader(io.BytesIO(os.urandom(1024) * (size // 1024))))
    assert len(await bucket.download("large.bin")) == size
    assert _peak(pid) - before < 25_000_000
    assert (await refused(bucket.upload("larger.bin", b"x" * (size + 1))))[0] == "413"


def _peak(pid: int) -> int:
    """Return the most memory a process has had, in bytes."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        pytest.skip("only Linux tells")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


@pytest.mark.parametrize(
    ("transform", "size"),
    [
        ({"width": 50}, (50, 25)),
        ({"width": 50, "height": 50}, (50, 50)),
        ({"width": 50, "height": 50, "resize": "contain"}, (50, 25)),
        ({"width": 30, "height": 90, "resize": "fill"}, (30, 90)),
        ({"quality": 50}, (200, 100)),
    ],
)
async def test_images_are_made_smaller(clients, project, buckets, transform: dict, size: tuple[int, int]) -> None:
    bucket = (await clients(project.secret_key)).storage.from_(await buckets(public=True))
    await bucket.upload("a.png", picture(200, 100), {"content-type": "image/png"})
    async with httpx.AsyncClient() as http:
        public = await http.get(await bucket.get_public_url("a.png", {"transform": transform}))
        signed = (await bucket.create_signed_url("a.png", 60, {"transform": transform}))["signedURL"]
        by_address = await http.get(f"{signed}&width=7", headers={"accept": "image/webp"})
    downloaded = await bucket.download("a.png", {"transform": transform})
    made = [Image.open(io.BytesIO(each)) for each in (public.content, by_address.content, downloaded)]
    assert [each.size for each in made] == [size] * 3, "what was signed counts, not what was added to it"
    assert [each.format for each in made] == ["PNG", "WEBP", "PNG"]


def picture(width: int, height: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGBA", (width, height), "red").save(content, "PNG")
    return content.getvalue()


async def test_what_is_no_image_or_too_much_of_one_is_refused(clients, project, buckets) -> None:
    bucket = (await clients(project.secret_key)).storage.from_(await buckets(public=True))
    huge = io.BytesIO()
    Image.new("1", (10_000, 10_000)).save(huge, "PNG")  # 12 KB that unfold into 100 million pixels
    for name, content in (("no.png", b"nothing"), ("huge.png", huge.getvalue()), ("a.png", picture(9, 9))):
        await bucket.upload(name, content, {"content-type": "image/png"})
    told = [
        await refused(bucket.download("no.png", {"transform": {"width": 5}})),
        await refused(bucket.download("huge.png", {"transform": {"width": 5}})),
        await refused(bucket.download("a.png", {"transform": {"width": 2501}})),
    ]
    assert [status for status, _ in told] == ["422", "413", "400"]


def tus(token: str, **headers: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", "tus-resumable": "1.0.0", **headers}


def about(**values: str) -> str:
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in values.items())


async def test_an_upload_goes_on_where_it_was_cut(project, sign_up, buckets, own_folder, shared_data) -> None:
    ada, linus, bucket = await sign_up("ada"), await sign_up("linus"), await buckets()
    token, path, before = await ada.token(), f"{ada.id}/a.bin", files(shared_data)
    url, content = f"{project.url}/storage/v1/upload/resumable", os.urandom(300_000)
    told = about(bucketName=bucket, objectName=path, contentType="image/png", metadata='{"n": 1}')
    begin = {"upload-length": str(len(content)), "upload-metadata": told}
    async with httpx.AsyncClient() as http:
        begun = await http.post(url, headers=tus(token, **begin))
        assert (begun.status_code, begun.headers["upload-offset"]) == (201, "0")
        place = begun.headers["location"]
        more = {"content-type": "application/offset+octet-stream"}
        for start in (0, 100_000, 200_000):
            part = content[start : start + 100_000]
            wrong = await http.patch(place, headers=tus(token, **more, **{"upload-offset": "7"}), content=part)
            assert wrong.status_code == 409
            right = await http.patch(place, headers=tus(token, **more, **{"upload-offset": str(start)}), content=part)
            assert (right.status_code, right.headers["upload-offset"]) == (204, str(start + 100_000))
            if start < 200_000:
                told_back = await http.head(place, headers=tus(token))
                assert told_back.headers["upload-offset"] == str(start + 100_000)
                assert (await http.head(place, headers=tus(await linus.token()))).status_code == 403
        assert (await http.head(place, headers=tus(token))).status_code == 404
        own = ada.client.storage.from_(bucket)
        assert await own.download(path) == content
        known = await own.info(path)
        assert (known["content_type"], known["metadata"], known["etag"]) == (
            "image/png",
            {"n": 1},
            f'"{hashlib.md5(content).hexdigest()}"',  # noqa: S324 - S3's checksum
        )
        assert (await http.post(url, headers=tus(token, **begin))).status_code == 409
        foreign = tus(await linus.token(), **begin)
        assert (await http.post(url, headers=foreign)).status_code == 403
        assert (await http.post(url, headers={**tus(token), **begin, "tus-resumable": "0.2"})).status_code == 412
        large = {**begin, "upload-length": str(60 * 1024 * 1024)}
        assert (await http.post(url, headers=tus(token, **large))).status_code == 413
        other = {**begin, "upload-metadata": about(bucketName=bucket, objectName=f"{ada.id}/b")}
        place = (await http.post(url, headers=tus(token, **other))).headers["location"]
        over = tus(token, **more, **{"upload-offset": "0"})
        assert (await http.patch(place, headers=over, content=content + b"x")).status_code == 413
        assert (await http.delete(place, headers=tus(token))).status_code == 204
    assert len(files(shared_data) - before) == 1


async def test_errors_have_the_form_the_clients_read(project) -> None:
    async with httpx.AsyncClient() as http:
        without = await http.get(f"{project.url}/storage/v1/bucket")
        assert json.loads(without.text) == {
            "statusCode": "400",
            "error": "Error",
            "message": "headers must have required property 'authorization'",
            "code": "Error",
        }
        wrong = await http.get(f"{project.url}/storage/v1/bucket", headers={"authorization": "Bearer nonsense"})
        assert wrong.json()["statusCode"] == "403"
