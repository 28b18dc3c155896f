"""Auth, through the unmodified client."""

from __future__ import annotations

import time

import httpx
import jwt
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from supabase import create_client
from supabase_auth.errors import AuthApiError, AuthWeakPasswordError

from chatapp.standin.lifecycle import Project
from tests.standin.helpers import PASSWORD


async def test_somebody_signs_up_and_is_signed_in(sign_up) -> None:
    ada = await sign_up("ada")
    answer = await ada.client.auth.get_user()
    assert answer.user.email == ada.email
    assert answer.user.identities[0].provider == "email"
    assert answer.user.role == "authenticated"


async def test_a_password_signs_in_whatever_the_case_of_the_address(sign_up, clients) -> None:
    ada = await sign_up("ada")
    elsewhere = await clients()
    answer = await elsewhere.auth.sign_in_with_password({"email": ada.email.upper(), "password": PASSWORD})
    assert answer.user.id == ada.id
    assert answer.user.last_sign_in_at


async def test_a_wrong_password_and_an_unknown_address_get_one_answer(sign_up, clients) -> None:
    ada = await sign_up("ada")
    client = await clients()
    told = []
    for email in (ada.email, f"nobody-{ada.email}"):
        with pytest.raises(AuthApiError) as refusal:
            await client.auth.sign_in_with_password({"email": email, "password": "wrong"})
        told.append((refusal.value.code, refusal.value.status, refusal.value.message))
    assert told == [("invalid_credentials", 400, "Invalid login credentials")] * 2


async def test_guessing_is_slowed_down_for_one_account_only(sign_up, clients) -> None:
    ada, grace = await sign_up("ada"), await sign_up("grace")
    client = await clients()
    codes = []
    for _ in range(11):
        with pytest.raises(AuthApiError) as refusal:
            await client.auth.sign_in_with_password({"email": ada.email, "password": "wrong"})
        codes.append(refusal.value.code)
    assert codes == ["invalid_credentials"] * 10 + ["over_request_rate_limit"]
    answer = await client.auth.sign_in_with_password({"email": grace.email, "password": PASSWORD})
    assert answer.session


async def test_an_address_is_used_once(sign_up, clients) -> None:
    ada = await sign_up("ada")
    with pytest.raises(AuthApiError) as refusal:
        await (await clients()).auth.sign_up({"email": ada.email, "password": PASSWORD})
    assert (refusal.value.code, refusal.value.status) == ("user_already_exists", 422)


async def test_a_short_password_is_refused_with_the_reason(clients) -> None:
    with pytest.raises(AuthWeakPasswordError) as refusal:
        await (await clients()).auth.sign_up({"email": "short@example.com", "password": "abc"})
    assert refusal.value.reasons == ["length"]


@pytest.mark.parametrize("email", ["nonsense", "a b@example.com", "nul\x00@example.com", "x" * 300 + "@example.com"])
async def test_what_is_no_address_is_refused(clients, email: str) -> None:
    with pytest.raises(AuthApiError) as refusal:
        await (await clients()).auth.sign_up({"email": email, "password": PASSWORD})
    assert (refusal.value.code, refusal.value.status) == ("validation_failed", 400)


async def test_text_postgres_cannot_hold_is_the_callers_fault(clients) -> None:
    credentials = {"email": "nul@example.com", "password": PASSWORD, "options": {"data": {"name": "a\x00b"}}}
    with pytest.raises(AuthApiError) as refusal:
        await (await clients()).auth.sign_up(credentials)
    assert (refusal.value.code, refusal.value.status) == ("validation_failed", 400)


async def test_refreshing_rotates_and_keeps_the_session(sign_up) -> None:
    ada = await sign_up("ada")
    before = await ada.client.auth.get_session()
    after = (await ada.client.auth.refresh_session()).session
    assert after.refresh_token != before.refresh_token
    assert _claims(after.access_token)["session_id"] == _claims(before.access_token)["session_id"]


async def test_a_client_that_lost_the_answer_may_ask_again(sign_up, clients) -> None:
    ada = await sign_up("ada")
    first = await ada.client.auth.get_session()
    rotated = (await ada.client.auth.refresh_session(first.refresh_token)).session
    again = (await (await clients()).auth.refresh_session(first.refresh_token)).session
    assert again.refresh_token == rotated.refresh_token


async def test_a_stolen_refresh_token_ends_the_session_for_everybody(sign_up, clients, database) -> None:
    ada = await sign_up("ada")
    first = await ada.client.auth.get_session()
    await ada.client.auth.refresh_session()
    latest = (await ada.client.auth.refresh_session()).session
    database.execute(
        "update auth.refresh_tokens set updated_at = now() - interval '11 seconds' where token = %s",
        [first.refresh_token],
    )
    thief = await clients()
    with pytest.raises(AuthApiError) as refusal:
        await thief.auth.refresh_session(first.refresh_token)
    assert refusal.value.code == "refresh_token_already_used"
    with pytest.raises(AuthApiError) as refusal:
        await (await clients()).auth.refresh_session(latest.refresh_token)
    assert refusal.value.code == "refresh_token_not_found"


async def test_signing_out_ends_the_session_at_once(sign_up) -> None:
    ada = await sign_up("ada")
    token = await ada.token()
    await ada.client.auth.sign_out()
    with pytest.raises(AuthApiError) as refusal:
        await ada.client.auth.get_user(token)
    assert (refusal.value.code, refusal.value.status) == ("session_not_found", 403)


async def test_signing_out_elsewhere_spares_this_session(sign_up, clients) -> None:
    ada = await sign_up("ada")
    other = await clients()
    await other.auth.sign_in_with_password({"email": ada.email, "password": PASSWORD})
    await ada.client.auth.sign_out({"scope": "others"})
    assert (await ada.client.auth.get_user()).user.id == ada.id
    with pytest.raises(AuthApiError):
        await other.auth.get_user()


async def test_metadata_and_password_can_be_changed(sign_up, clients) -> None:
    ada = await sign_up("ada")
    answer = await ada.client.auth.update_user({"data": {"name": "Ada"}, "password": "another horse"})
    assert answer.user.user_metadata["name"] == "Ada"
    signed_in = await (await clients()).auth.sign_in_with_password({"email": ada.email, "password": "another horse"})
    assert _claims(signed_in.session.access_token)["user_metadata"]["name"] == "Ada"


async def test_the_client_verifies_a_token_by_the_published_key(sign_up, project: Project) -> None:
    ada = await sign_up("ada")
    answer = await ada.client.auth.get_claims()
    claims = answer["claims"]
    assert answer["headers"]["alg"] == "ES256"
    assert claims["sub"] == ada.id
    assert claims["iss"] == f"{project.url}/auth/v1"
    assert (claims["aud"], claims["role"], claims["aal"]) == ("authenticated", "authenticated", "aal1")
    assert claims["amr"][0]["method"] == "password"


async def test_forged_tokens_are_refused(sign_up, project: Project) -> None:
    ada = await sign_up("ada")
    claims = _claims(await ada.token())
    async with httpx.AsyncClient() as http:
        published = await http.get(f"{project.url}/auth/v1/.well-known/jwks.json")
    public = published.json()["keys"][0]
    forged = {
        "none": jwt.encode(claims, None, algorithm="none"),  # type: ignore[arg-type]  # there is no key
        "HS256 with the public key": jwt.encode(
            claims, public["x"] * 2, algorithm="HS256", headers={"kid": public["kid"]}
        ),
        "another key": jwt.encode(claims, _new_key(), algorithm="ES256", headers={"kid": public["kid"]}),
    }
    for name, token in forged.items():
        with pytest.raises(AuthApiError) as refusal:
            await ada.client.auth.get_user(token)
        assert refusal.value.code == "bad_jwt", name


async def test_the_secret_key_manages_accounts(clients, project: Project) -> None:
    admin = (await clients(project.secret_key)).auth.admin
    email = f"made-{time.time_ns()}@example.com"
    made = (
        await admin.create_user(
            {"email": email, "password": PASSWORD, "email_confirm": True, "user_metadata": {"name": "Grace"}}
        )
    ).user
    assert (await admin.get_user_by_id(made.id)).user.user_metadata["name"] == "Grace"
    assert made.id in [user.id for user in await admin.list_users()]
    changed = (await admin.update_user_by_id(made.id, {"app_metadata": {"plan": "pro"}})).user
    assert changed.app_metadata == {"provider": "email", "providers": ["email"], "plan": "pro"}
    signed_in = await (await clients()).auth.sign_in_with_password({"email": email, "password": PASSWORD})
    assert signed_in.user.id == made.id
    await admin.delete_user(made.id)
    with pytest.raises(AuthApiError) as refusal:
        await admin.get_user_by_id(made.id)
    assert refusal.value.code == "user_not_found"


async def test_nobody_else_manages_accounts(sign_up) -> None:
    ada = await sign_up("ada")
    with pytest.raises(AuthApiError) as refusal:
        await ada.client.auth.admin.list_users()
    assert (refusal.value.code, refusal.value.status) == ("not_admin", 403)


def test_the_synchronous_client_works_alike(project: Project) -> None:
    client = create_client(project.url, project.publishable_key)
    email = f"sync-{time.time_ns()}@example.com"
    client.auth.sign_up({"email": email, "password": PASSWORD})
    assert client.auth.sign_in_with_password({"email": email, "password": PASSWORD}).user.email == email
    client.auth.sign_out()


@pytest.mark.parametrize(
    ("headers", "message"),
    [({}, "No API key found in request"), ({"apikey": "sb_secret_guess"}, "Invalid API key")],
)
def test_without_an_api_key_nothing_is_served(project: Project, headers: dict[str, str], message: str) -> None:
    answer = httpx.get(f"{project.url}/auth/v1/settings", headers=headers)
    assert (answer.status_code, answer.json()["message"]) == (401, message)


async def test_what_is_missing_says_so(sign_up) -> None:
    client = (await sign_up("ada")).client
    with pytest.raises(AuthApiError) as refusal:
        await client.auth.mfa.enroll({"factor_type": "totp", "friendly_name": "phone"})
    assert refusal.value.status == 501
    with pytest.raises(AuthApiError, match=r"SAML 2\.0 is disabled"):
        await client.auth.sign_in_with_sso({"domain": "example.com"})


@pytest.mark.parametrize(
    ("phone", "message"),
    [("+15555550100", "Token has expired or is invalid"), ("number", "Invalid phone number format")],
)
async def test_no_code_fits_a_phone_that_was_sent_none(clients, phone: str, message: str) -> None:
    with pytest.raises(AuthApiError, match=message):
        await (await clients()).auth.verify_otp({"phone": phone, "token": "123456", "type": "sms"})


async def test_an_administrator_gives_the_metadata_and_nothing_is_added_before_the_address_is_confirmed(
    clients, project
) -> None:
    admin = (await clients(project.secret_key)).auth.admin
    given = {"email": f"ada-{time.time_ns()}@example.com", "user_metadata": {"color": "green"}}
    user = (await admin.create_user(given)).user
    assert user.user_metadata == {"color": "green"}
    user = (await admin.update_user_by_id(user.id, {"email_confirm": True})).user
    assert user.email_confirmed_at


@pytest.mark.parametrize("path", ["storage/v1/s3/bucket", "functions/v1/hello"])
def test_services_that_are_missing_say_so(project: Project, path: str) -> None:
    answer = httpx.get(f"{project.url}/{path}")
    assert answer.status_code == 501
    assert "stand-in" in answer.json()["message"]


async def test_policies_see_who_calls(sign_up, database: psycopg.Connection) -> None:
    ada = await sign_up("ada")
    with database.transaction():
        database.execute("select set_config('role', 'authenticated', true)")
        database.execute(
            "select set_config('request.jwt.claims', %s, true)",
            [f'{{"sub": "{ada.id}", "role": "authenticated"}}'],
        )
        row = database.execute("select auth.uid()::text, auth.role(), current_user").fetchone()
    assert row == (ada.id, "authenticated", "authenticated")


def _claims(token: str) -> dict:
    return jwt.decode(token, options={"verify_signature": False})


def _new_key():
    return ec.generate_private_key(ec.SECP256R1())
