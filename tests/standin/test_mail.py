"""What Auth mails: codes and links, read from the outbox as a person would, through the unmodified client."""

from __future__ import annotations

import html
import secrets
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from supabase import AsyncClientOptions, acreate_client
from supabase_auth.errors import AuthApiError

from chatapp.standin.auth.errors import AuthError
from chatapp.standin.auth.options import Options, Rates
from chatapp.standin.keys import load_keys
from chatapp.standin.lifecycle import Project
from chatapp.standin.outbox import Mail, Outbox
from chatapp.standin.record import load_record
from tests.standin.helpers import PASSWORD

SITE = "http://localhost:3000/welcome"


def address(name: str = "ada") -> str:
    return f"{name}-{secrets.token_hex(4)}@example.com"


@pytest.fixture
def mails(project: Project):
    """Read one person's mails, newest first."""

    def read(to: str) -> list[dict]:
        return httpx.get(f"{project.url}/outbox.json", params={"to": to}).json()

    return read


@pytest.fixture
async def implicit(project: Project):
    """A client that takes its session from the link itself; the others exchange a code (PKCE), as is their default."""
    client = await acreate_client(project.url, project.publishable_key, AsyncClientOptions(flow_type="implicit"))
    yield client
    await client.auth.close()


def follow(link: str) -> tuple[str, dict[str, str], dict[str, str]]:
    """Open a link as a browser does; return where it leads, without and with what it carries."""
    answer = httpx.get(link)
    assert answer.status_code == 303
    parts = urlsplit(answer.headers["location"])
    where = f"{parts.scheme}://{parts.netloc}{parts.path}"
    return where, _single(parts.query), _single(parts.fragment)


def get(url: str, **options) -> httpx.Response:
    return httpx.get(url, **options)


def _single(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}


async def test_a_code_signs_in_and_makes_the_account(clients, mails) -> None:
    client, email = await clients(), address()
    await client.auth.sign_in_with_otp({"email": email, "options": {"data": {"name": "Ada"}}})
    answer = await client.auth.verify_otp({"email": email, "token": mails(email)[0]["code"], "type": "email"})
    assert answer.user.email == email
    assert answer.user.user_metadata["name"] == "Ada"
    amr = jwt.decode(answer.session.access_token, options={"verify_signature": False})["amr"]
    assert amr[0]["method"] == "otp"


async def test_a_code_works_once_and_only_the_newest_one(sign_up, clients, mails) -> None:
    ada, client = await sign_up("ada"), await clients()
    for _ in range(2):
        await client.auth.sign_in_with_otp({"email": ada.email})
    newest, older = mails(ada.email)
    for code in (older["code"], newest["code"], newest["code"]):
        told = await refused(client.auth.verify_otp({"email": ada.email, "token": code, "type": "magiclink"}))
        assert told == (None if code == newest["code"] and not newest.get("used") else ("otp_expired", 403))
        newest["used"] = code == newest["code"]


async def refused(call) -> tuple | None:
    try:
        await call
    except AuthApiError as error:
        return error.code, error.status
    return None


async def test_codes_cannot_be_guessed(sign_up, clients, mails) -> None:
    ada, client = await sign_up("ada"), await clients()
    await client.auth.sign_in_with_otp({"email": ada.email})
    code = mails(ada.email)[0]["code"]
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    told = [
        await refused(client.auth.verify_otp({"email": ada.email, "token": wrong, "type": "email"})) for _ in range(11)
    ]
    assert told == [("otp_expired", 403)] * 10 + [("over_request_rate_limit", 429)]
    assert await refused(client.auth.verify_otp({"email": ada.email, "token": code, "type": "email"}))


async def test_a_code_ends_after_an_hour(sign_up, clients, mails, database) -> None:
    ada, client = await sign_up("ada"), await clients()
    await client.auth.sign_in_with_otp({"email": ada.email})
    database.execute("update auth.one_time_tokens set created_at = created_at - interval '61 minutes'")
    call = client.auth.verify_otp({"email": ada.email, "token": mails(ada.email)[0]["code"], "type": "email"})
    assert await refused(call) == ("otp_expired", 403)


async def test_who_must_not_be_made_is_not(clients) -> None:
    call = (await clients()).auth.sign_in_with_otp({"email": address(), "options": {"should_create_user": False}})
    assert await refused(call) == ("otp_disabled", 422)


async def test_a_forgotten_password_is_replaced_by_a_link(sign_up, clients, implicit, mails) -> None:
    ada = await sign_up("ada")
    await implicit.auth.reset_password_for_email(ada.email, {"redirect_to": SITE})
    where, _, carried = follow(mails(ada.email)[0]["link"])
    assert where == SITE
    assert carried["type"] == "recovery"
    await implicit.auth.set_session(carried["access_token"], carried["refresh_token"])
    await implicit.auth.update_user({"password": "another horse"})
    signed_in = await (await clients()).auth.sign_in_with_password({"email": ada.email, "password": "another horse"})
    assert signed_in.user.id == ada.id


async def test_nobody_learns_who_has_an_account(clients, mails) -> None:
    email = address("nobody")
    await (await clients()).auth.reset_password_for_email(email)
    assert mails(email) == []


async def test_a_used_link_leads_on_with_the_reason(sign_up, clients, mails) -> None:
    ada = await sign_up("ada")
    await (await clients()).auth.reset_password_for_email(ada.email, {"redirect_to": SITE})
    follow(mails(ada.email)[0]["link"])
    where, query, fragment = follow(mails(ada.email)[0]["link"])
    assert (where, query["error_code"], fragment["error"]) == (SITE, "otp_expired", "access_denied")


@pytest.mark.parametrize(
    "evil", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "http://localhost@evil.example/x"]
)
async def test_a_link_leads_to_allowed_places_only(sign_up, clients, mails, evil: str) -> None:
    ada = await sign_up("ada")
    await (await clients()).auth.reset_password_for_email(ada.email, {"redirect_to": evil})
    link = mails(ada.email)[0]["link"]
    where, *_ = follow(f"{link}&redirect_to={evil}")
    assert where == "http://localhost:3000"


async def test_pkce_trades_the_code_of_a_link_for_a_session(sign_up, clients, mails) -> None:
    ada, client = await sign_up("ada"), await clients()
    await client.auth.sign_in_with_otp({"email": ada.email, "options": {"email_redirect_to": SITE}})
    _, query, fragment = follow(mails(ada.email)[0]["link"])
    assert fragment == {}
    answer = await client.auth.exchange_code_for_session({"auth_code": query["code"]})
    assert answer.user.id == ada.id


async def test_a_caught_code_is_worth_nothing(sign_up, clients, mails) -> None:
    ada, client = await sign_up("ada"), await clients()
    await client.auth.reset_password_for_email(ada.email)
    _, query, _ = follow(mails(ada.email)[0]["link"])
    thief = client.auth.exchange_code_for_session({"auth_code": query["code"], "code_verifier": "x" * 43})
    assert await refused(thief) == ("bad_code_verifier", 400)
    again = client.auth.exchange_code_for_session({"auth_code": query["code"], "code_verifier": "x" * 43})
    assert await refused(again) == ("flow_state_not_found", 404)


async def test_a_new_address_counts_when_both_have_agreed(sign_up, mails) -> None:
    ada, new = await sign_up("ada"), address("new")
    told = (await ada.client.auth.update_user({"email": new})).user
    assert (told.email, told.new_email) == (ada.email, new)
    _, first, _ = follow(mails(new)[0]["link"])
    assert "other email" in first["message"]
    assert (await ada.client.auth.get_user()).user.email == ada.email
    follow(mails(ada.email)[0]["link"])
    changed = (await ada.client.auth.get_user()).user
    assert (changed.email, changed.identities[0].identity_data["email"]) == (new, new)


async def test_an_address_that_is_taken_is_refused(sign_up) -> None:
    ada, grace = await sign_up("ada"), await sign_up("grace")
    assert await refused(ada.client.auth.update_user({"email": grace.email})) == ("email_exists", 422)


async def test_a_change_of_address_is_mailed_again(sign_up, mails) -> None:
    ada, new = await sign_up("ada"), address("new")
    await ada.client.auth.update_user({"email": new})
    await ada.client.auth.resend({"type": "email_change", "email": ada.email})
    assert [len(mails(new)), len(mails(ada.email))] == [2, 2]


async def test_somebody_without_a_name_signs_in_and_gets_one_later(clients) -> None:
    client, email = await clients(), address()
    nobody = (await client.auth.sign_in_anonymously({"options": {"data": {"colour": "red"}}})).user
    assert nobody.is_anonymous
    claims = (await client.auth.get_claims())["claims"]
    assert (claims["is_anonymous"], claims["role"], claims["amr"][0]["method"]) == (True, "authenticated", "anonymous")
    named = (await client.auth.update_user({"email": email, "password": PASSWORD})).user
    assert (named.id, named.email, named.is_anonymous) == (nobody.id, email, False)
    assert (await client.auth.sign_in_with_password({"email": email, "password": PASSWORD})).user.id == nobody.id


async def test_an_invited_person_chooses_a_password(project: Project, clients, mails) -> None:
    admin, client, email = (await clients(project.secret_key)).auth.admin, await clients(), address()
    invited = (await admin.invite_user_by_email(email, {"data": {"name": "Ada"}, "redirect_to": SITE})).user
    assert invited.invited_at
    answer = await client.auth.verify_otp({"token_hash": mails(email)[0]["token_hash"], "type": "invite"})
    assert answer.user.user_metadata["name"] == "Ada"
    await client.auth.update_user({"password": PASSWORD})
    assert (await (await clients()).auth.sign_in_with_password({"email": email, "password": PASSWORD})).session


@pytest.mark.parametrize("kind", ["signup", "invite", "magiclink", "recovery"])
async def test_an_administrator_mails_links_alone(project: Project, clients, mails, kind: str) -> None:
    admin, email = (await clients(project.secret_key)).auth.admin, address()
    if kind == "recovery":
        await admin.create_user({"email": email})
    made = await admin.generate_link({"type": kind, "email": email, "password": PASSWORD})
    assert mails(email) == []
    assert made.properties.verification_type == kind
    by_code = {"email": email, "token": made.properties.email_otp, "type": kind}
    assert (await (await clients()).auth.verify_otp(by_code)).user.id == made.user.id


async def test_who_is_not_confirmed_cannot_sign_in(project: Project, clients, mails) -> None:
    admin, client, email = (await clients(project.secret_key)).auth.admin, await clients(), address()
    await admin.create_user({"email": email, "password": PASSWORD})
    signing_in = client.auth.sign_in_with_password({"email": email, "password": PASSWORD})
    assert await refused(signing_in) == ("email_not_confirmed", 400)
    await client.auth.resend({"type": "signup", "email": email})
    answer = await client.auth.verify_otp({"email": email, "token": mails(email)[0]["code"], "type": "signup"})
    assert answer.user.email_confirmed_at


async def test_deleting_softly_keeps_the_id_and_ends_everything_else(project: Project, sign_up, clients) -> None:
    ada, admin = await sign_up("ada"), (await clients(project.secret_key)).auth.admin
    await admin.delete_user(ada.id, should_soft_delete=True)
    gone = (await admin.get_user_by_id(ada.id)).user
    assert gone.id == ada.id
    assert gone.email != ada.email
    assert await refused(ada.client.auth.get_user(await ada.token())) == ("session_not_found", 403)


async def test_tokens_of_the_old_form_count(project: Project, shared_data, sign_up) -> None:
    record = load_record(shared_data)
    assert record
    keys = load_keys(shared_data, record)
    ada = await sign_up("ada")
    claims = jwt.decode(await ada.token(), options={"verify_signature": False})
    old = jwt.encode(claims, keys.legacy_secret, algorithm="HS256")
    client = await acreate_client(project.url, keys.legacy_key("anon"))
    assert (await client.auth.get_user(old)).user.id == ada.id
    forged = jwt.encode({**claims, "role": "postgres"}, keys.legacy_secret, algorithm="HS256")
    foreign = jwt.encode({**claims, "iss": "https://evil.example"}, keys.legacy_secret, algorithm="HS256")
    late = jwt.encode({**claims, "exp": time.time() - 5}, keys.legacy_secret, algorithm="HS256")
    for token in (forged, foreign, late):
        assert await refused(client.auth.get_user(token)) == ("bad_jwt", 403)
    admin = await acreate_client(project.url, keys.legacy_key("service_role"))
    assert (await admin.auth.admin.get_user_by_id(ada.id)).user.id == ada.id


def test_too_much_is_refused_with_the_reason() -> None:
    rates = Rates(Options(requests=2, mail_seconds=60))
    rates.request("here")
    rates.request("here")
    rates.request("elsewhere")
    with pytest.raises(AuthError) as refusal:
        rates.request("here")
    assert (refusal.value.status, refusal.value.code) == (429, "over_request_rate_limit")
    rates.mail("ada")
    rates.mail("grace")
    with pytest.raises(AuthError) as refusal:
        rates.mail("ada")
    assert (refusal.value.status, refusal.value.code) == (429, "over_email_send_rate_limit")
    assert refusal.value.message == "For security purposes, you can only request this after 60 seconds."


def test_the_outbox_is_bounded() -> None:
    outbox = Outbox()
    for number in range(201):
        outbox.add(Mail("ada", "s", "k", str(number)))
    assert [mail.code for mail in outbox.newest_first()][::199] == ["200", "1"]


async def test_the_outbox_is_for_this_machine_only(project: Project, clients) -> None:
    email = f"<b>{secrets.token_hex(4)}@example.com"
    await (await clients()).auth.sign_in_with_otp({"email": email})
    page = get(f"{project.url}/outbox")
    assert html.escape(email) in page.text
    assert "<b>" + email[3:] not in page.text
    rebound = {"host": "evil.example"}
    for path in ("outbox", "outbox.json"):
        answer = get(f"{project.url}/{path}", headers={**rebound, "origin": "http://evil.example"})
        assert answer.status_code == 403
        assert email[3:] not in answer.text
        assert "access-control-allow-origin" not in answer.headers


def test_the_root_says_what_runs(project: Project) -> None:
    page = httpx.get(project.url, headers={"accept": "text/html"}).text
    assert project.publishable_key in page
    assert project.secret_key not in page
    assert httpx.get(project.url).json()["status"] == "ok"
