# ruff: noqa: E501 - the matrix is a table, and reads as one only when its rows are not broken
"""Who can do what to which table, whole: persons × statements, on a private room, against the real policies.

`yes` means that it happened, `-` that there was nothing to see or touch, `NO` that Postgres refused. Each statement runs
in a transaction of its own that is rolled back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

import psycopg
import pytest
import pytest_asyncio

from chatapp.actor import Actor
from chatapp.direct.actions import open_direct
from chatapp.rooms import actions as rooms
from chatapp.settings import Settings
from tests.cast import Someone, room, say, someone
from tests.conftest import Sql, connect

PERSONS = ("owner", "member", "outsider", "removed", "anonymous")

# :me is who asks, :third another member of :room; :mine and :theirs are messages of those two. :public is a room that
# none of them is in. :direct is a direct message of the owner, the member and the third. :gone is a deleted message of
# :room, :still one of an archived room of the owner and the third. Those who have been in :room have a 👍 at :theirs and
# follow its thread, and the owner has one at :still. The third has mentioned the member, the removed one and themselves in
# :room.
MATRIX = """
                                                                                 owner member outsider removed anonymous
profiles       select  select 1 from profiles where id = :owner                     yes   yes   -     -     NO
profiles       select  select 1 from profiles where id = :me                        yes   yes   yes   yes   NO
profiles       insert  insert into profiles (id, name) values (:me, 'x')            NO    NO    NO    NO    NO
profiles       update  update profiles set name = 'New' where id = :me              yes   yes   yes   yes   NO
profiles       update  update profiles set name = 'New' where id = :third           -     -     -     -     NO
profiles       update  update profiles set receipts = false where id = :me          yes   yes   yes   yes   NO
profiles       update  update profiles set receipts = false where id = :third       -     -     -     -     NO
profiles       select  select status_text from profiles where id = :owner           yes   yes   -     -     NO
profiles       update  update profiles set status_emoji = '🌴', status_text = 'Away', status_until = now() where id = :me  yes  yes  yes  yes  NO
profiles       update  update profiles set status_text = 'Away' where id = :third   -     -     -     -     NO
profiles       update  update profiles set created_at = now() where id = :me        NO    NO    NO    NO    NO
profiles       select  select last_seen_at from profiles where id = :owner          NO    NO    NO    NO    NO
profiles       select  select receipts from profiles where id = :me                 NO    NO    NO    NO    NO
profiles       select  select * from profiles where id = :me                        NO    NO    NO    NO    NO
profiles       update  update profiles set name = 'x' where id = :me and receipts   NO    NO    NO    NO    NO
profiles       update  update profiles set last_seen_at = now() where id = :me      NO    NO    NO    NO    NO
profiles       update  select private.note_seen(array[:me]::uuid[])                 NO    NO    NO    NO    NO
profiles       delete  delete from profiles where id = :me                          NO    NO    NO    NO    NO

chat_rooms     select  select 1 from chat_rooms where id = :room                    yes   yes   -     -     NO
chat_rooms     insert  insert into chat_rooms (name, created_by) values ('n', :me)  yes   yes   yes   yes   NO
chat_rooms     insert  insert into chat_rooms (name, created_by) values ('n', :third)    NO    NO    NO    NO    NO
chat_rooms     insert  insert into chat_rooms (name, created_by, rev) values ('n', :me, 9)  NO    NO    NO    NO    NO
chat_rooms     update  update chat_rooms set name = 'n' where id = :room            yes   -     -     -     NO
chat_rooms     update  update chat_rooms set archived_at = now() where id = :room   yes   -     -     -     NO
chat_rooms     update  update chat_rooms set last_seq = 99 where id = :room         NO    NO    NO    NO    NO
chat_rooms     update  update chat_rooms set created_by = :me where id = :room      NO    NO    NO    NO    NO
chat_rooms     delete  delete from chat_rooms where id = :room                      yes   -     -     -     NO

room_members   select  select 1 from room_members where room_id = :room             yes   yes   -     -     NO
room_members   select  select read_seq from room_members where room_id = :room      NO    NO    NO    NO    NO
room_members   select  select read_turn from room_members where user_id = :me       NO    NO    NO    NO    NO
room_members   select  select 1 from private.my_memberships() where room_id = :room      yes   yes   -     -     NO
room_members   insert  insert into room_members (room_id, user_id) values (:room, :me)      -     -     NO    NO    NO
room_members   insert  insert into room_members (room_id, user_id) values (:room, :third)   NO    NO    NO    NO    NO
room_members   insert  insert into room_members (room_id, user_id) values (:public, :me)    yes   yes   yes   yes   NO
room_members   insert  insert into room_members (room_id, user_id, role) values (:public, :me, 'owner')  NO  NO  NO  NO  NO
room_members   update  update room_members set read_seq = 1 where room_id = :room and user_id = :me         yes   yes   -     -     NO
room_members   update  update room_members set read_seq = 1 where room_id = :room and user_id = :third      -     -     -     -     NO
room_members   update  update room_members set read_turn = 1 where room_id = :room and user_id = :me        NO    NO    NO    NO    NO
chat_rooms     update  update chat_rooms set past_turn = 9 where id = :room         NO    NO    NO    NO    NO
room_members   insert  insert into room_members (room_id, user_id, read_turn) values (:public, :me, 9)      NO    NO    NO    NO    NO
room_members   update  select 1 where private.mark_unread(:room, 1)                                         yes   yes   -     -     NO
room_members   update  update room_members set level = 'none' where room_id = :room and user_id = :me       yes   yes   -     -     NO
room_members   update  update room_members set level = 'none' where room_id = :room and user_id = :third    -     -     -     -     NO
room_members   update  update room_members set role = 'owner' where room_id = :room and user_id = :me       NO    NO    NO    NO    NO
room_members   update  update room_members set joined_at = now() where room_id = :room and user_id = :me    NO    NO    NO    NO    NO
room_members   delete  delete from room_members where room_id = :room and user_id = :me        yes   yes   -     -     NO
room_members   delete  delete from room_members where room_id = :room and user_id = :third     yes   -     -     -     NO
room_members   delete  delete from room_members where room_id = :room and user_id = :owner     yes   -     -     -     NO

chat_rooms     select  select 1 from chat_rooms where id = :direct                  yes   yes   -     -     NO
chat_rooms     insert  insert into chat_rooms (name, created_by, kind) values ('', :me, 'direct')  NO  NO  NO  NO  NO
chat_rooms     insert  insert into chat_rooms (name, created_by, direct_key) values ('n', :me, sha256('k'))  NO  NO  NO  NO  NO
chat_rooms     update  update chat_rooms set name = 'n' where id = :direct          -     -     -     -     NO
chat_rooms     update  update chat_rooms set archived_at = now() where id = :direct -     -     -     -     NO
chat_rooms     update  update chat_rooms set is_private = false where id = :direct  -     -     -     -     NO
chat_rooms     update  update chat_rooms set kind = 'direct' where id = :room       NO    NO    NO    NO    NO
chat_rooms     update  update chat_rooms set direct_key = null where id = :direct   NO    NO    NO    NO    NO
chat_rooms     delete  delete from chat_rooms where id = :direct                    -     -     -     -     NO
chat_rooms     insert  select room from private.open_direct(array[:third]::uuid[], '{}') where room is not null     yes   yes   -     -     NO
chat_rooms     insert  select room from private.open_direct(array[:owner]::uuid[], '{}') where room is not null     -     yes   -     -     NO
chat_rooms     insert  select 1 from private.may_look_up(1)                         NO    NO    NO    NO    NO
chat_rooms     select  select 1 from private.people_at('{a@example.com}')           NO    NO    NO    NO    NO
chat_rooms     select  select 1 from private.address_lookups                        NO    NO    NO    NO    NO
chat_rooms     select  select 1 from private.attempts                               NO    NO    NO    NO    NO
chat_rooms     update  select 1 where private.attempt(sha256('x'), 9, '1 hour')     NO    NO    NO    NO    NO
chat_rooms     delete  select private.forget_attempts(sha256('x'))                  NO    NO    NO    NO    NO
profiles       select  select 1 from private.my_people('') where id = :third        yes   yes   -     -     NO
room_members   select  select 1 from room_members where room_id = :direct           yes   yes   -     -     NO
room_members   insert  insert into room_members (room_id, user_id) values (:direct, :me)       -     -     NO    NO    NO
room_members   insert  insert into room_members (room_id, user_id) values (:direct, :third)    NO    NO    NO    NO    NO
room_members   update  select 1 where private.change_role(:direct, :me, 'owner')               -     -     -     -     NO
room_members   delete  delete from room_members where room_id = :direct and user_id = :me      -     -     -     -     NO
room_members   delete  delete from room_members where room_id = :direct and user_id = :third   -     -     -     -     NO
chat_messages  select  select 1 from chat_messages where room_id = :direct          yes   yes   -     -     NO
chat_messages  insert  insert into chat_messages (room_id, user_id, client_id, content) values (:direct, :me, 'new', 'x')   yes   yes   NO    NO    NO
chat_messages  update  update chat_messages set deleted_at = now() where room_id = :direct and user_id = :third             -     -     -     -     NO
room_invites   insert  insert into room_invites (room_id, token_hash, created_by, expires_at) values (:direct, sha256('t'), :me, now() + '1 day')  NO  NO  NO  NO  NO
room_invites   insert  select 1 from (select private.invite_address(:direct, 'nobody@example.com') as it) o where it <> 'refused'  -  -  -  -  NO
room_invites   insert  select 1 from (select private.invite_address(:room, 'nobody@example.com') as it) o where it <> 'refused'    yes   -     -     -     NO

chat_messages  select  select 1 from chat_messages where room_id = :room            yes   yes   -     -     NO
chat_messages  select  select 1 from private.find_messages('', array[:room]::uuid[], null, null, null, false, null, null, 9)  yes  yes  -  -  NO
chat_messages  select  select 1 from private.find_messages('', null, array[:third]::uuid[], null, null, false, null, null, 9)  yes  yes  -  -  NO
chat_messages  select  select 1 from private.find_alike(array['anything'], array[:public]::uuid[], null, null, null, 9)  -  -  -  -  NO
profiles       select  select 1 from private.people_named('') p where p = :third    yes   yes   -     -     NO
chat_messages  insert  insert into chat_messages (room_id, user_id, client_id, content) values (:room, :me, 'new', 'x')     yes   yes   NO    NO    NO
chat_messages  insert  insert into chat_messages (room_id, user_id, client_id, content) values (:room, :third, 'new', 'x')  NO    NO    NO    NO    NO
chat_messages  insert  insert into chat_messages (room_id, user_id, client_id, content) values (:room, :third, 'known', 'x') NO   NO    NO    NO    NO
chat_messages  insert  insert into chat_messages (room_id, user_id, client_id, content, seq) values (:room, :me, 'new', 'x', 1)  NO  NO  NO  NO  NO
chat_messages  insert  insert into chat_messages (room_id, user_id, client_id, content, created_at) values (:room, :me, 'new', 'x', now())  NO  NO  NO  NO  NO
chat_messages  update  update chat_messages set content = 'y' where id = :mine      yes   yes   -     -     NO
chat_messages  update  update chat_messages set deleted_at = now() where id = :mine yes   yes   -     -     NO
chat_messages  update  update chat_messages set content = 'y' where id = :theirs    NO    -     -     -     NO
chat_messages  update  update chat_messages set deleted_at = now() where id = :theirs       yes   -     -     -     NO
chat_messages  update  update chat_messages set seq = 99 where id = :mine           NO    NO    NO    NO    NO
chat_messages  update  update chat_messages set user_id = :me where id = :theirs    NO    NO    NO    NO    NO
chat_messages  delete  delete from chat_messages where id = :mine                   NO    NO    NO    NO    NO

chat_messages  update  update chat_messages set pinned_at = now() where id = :mine  NO    NO    NO    NO    NO
chat_messages  update  update chat_messages set reactions = '[]' where id = :mine   NO    NO    NO    NO    NO
chat_messages  update  update chat_messages set content = 'y' where id = :still     NO    -     -     -     NO
chat_messages  update  update chat_messages set deleted_at = now() where id = :still        yes   -     -     -     NO

chat_messages  insert  insert into chat_messages (room_id, user_id, client_id, content, parent_id) values (:room, :me, 'new', 'x', :theirs)  yes  yes  NO  NO  NO
chat_messages  insert  insert into chat_messages (room_id, user_id, client_id, content, quote_id) values (:room, :me, 'new', 'x', :theirs)   yes  yes  NO  NO  NO
chat_messages  insert  insert into chat_messages (room_id, user_id, client_id, content, parent_id) values (:room, :third, 'new', 'x', :theirs)  NO  NO  NO  NO  NO
chat_messages  insert  insert into chat_messages (room_id, user_id, client_id, content, reply_seq) values (:room, :me, 'new', 'x', 1)  NO  NO  NO  NO  NO
chat_messages  insert  insert into chat_messages (room_id, user_id, client_id, content, quote) values (:room, :me, 'new', 'x', '{}')   NO  NO  NO  NO  NO
chat_messages  update  update chat_messages set parent_id = :theirs where id = :mine  NO  NO  NO  NO  NO
chat_messages  update  update chat_messages set reply_count = 9 where id = :mine      NO  NO  NO  NO  NO
chat_messages  update  update chat_messages set quote = '{}' where id = :mine         NO  NO  NO  NO  NO

thread_followers  select  select 1 from thread_followers where parent_id = :theirs and user_id = :me      yes   yes   -     -     NO
thread_followers  select  select 1 from thread_followers where parent_id = :theirs and user_id = :third   -     -     -     -     NO
thread_followers  insert  insert into thread_followers (parent_id, user_id) values (:mine, :me)           NO    NO    NO    NO    NO
thread_followers  update  update thread_followers set read_seq = 9 where user_id = :me                    NO    NO    NO    NO    NO
thread_followers  delete  delete from thread_followers where user_id = :me                                NO    NO    NO    NO    NO

message_reactions  select  select 1 from message_reactions where message_id = :theirs    yes   yes   -     -     NO
message_reactions  insert  insert into message_reactions (message_id, user_id, emoji) values (:theirs, :me, '🎉')      yes   yes   NO    NO    NO
message_reactions  insert  insert into message_reactions (message_id, user_id, emoji) values (:theirs, :third, '🎉')   NO    NO    NO    NO    NO
message_reactions  insert  insert into message_reactions (message_id, user_id, emoji) values (:gone, :me, '🎉')        NO    NO    NO    NO    NO
message_reactions  insert  insert into message_reactions (message_id, user_id, emoji) values (:still, :me, '🎉')       NO    NO    NO    NO    NO
message_reactions  insert  insert into message_reactions (message_id, user_id, emoji, created_at) values (:theirs, :me, '🎉', now())  NO  NO  NO  NO  NO
message_reactions  update  update message_reactions set emoji = '🎉' where user_id = :me        NO    NO    NO    NO    NO
message_reactions  delete  delete from message_reactions where message_id = :theirs and user_id = :me       yes   yes   -     -     NO
message_reactions  delete  delete from message_reactions where message_id = :theirs and user_id = :third    -     -     -     -     NO
message_reactions  delete  delete from message_reactions where message_id = :still and user_id = :me        -     -     -     -     NO

chat_messages  insert  insert into chat_messages (room_id, user_id, client_id, content, mentions) values (:room, :me, 'new', 'x', '[]')  NO  NO  NO  NO  NO
chat_messages  update  update chat_messages set mentions = '[]' where id = :mine    NO    NO    NO    NO    NO

message_mentions  select  select 1 from message_mentions where user_id = :me          -     yes   -     -     NO
message_mentions  select  select 1 from message_mentions where user_id <> :me         -     -     -     -     NO
message_mentions  select  select 1 from private.mentions_of(:third)                   NO    NO    NO    NO    NO
message_mentions  insert  insert into message_mentions (user_id, room_id, seq, message_id) values (:me, :room, 99, :mine)  NO  NO  NO  NO  NO
message_mentions  update  update message_mentions set seq = 99 where user_id = :me    NO    NO    NO    NO    NO
message_mentions  delete  delete from message_mentions where user_id = :me            NO    NO    NO    NO    NO

room_invites   select  select 1 from room_invites where room_id = :room             yes   -     -     -     NO
room_invites   insert  insert into room_invites (room_id, token_hash, created_by, expires_at) values (:room, sha256('t'), :me, now() + '1 day')     yes   NO    NO    NO    NO
room_invites   insert  insert into room_invites (room_id, token_hash, created_by, expires_at) values (:room, sha256('t'), :owner, now() + '1 day')  yes   NO    NO    NO    NO
room_invites   insert  insert into room_invites (room_id, token_hash, created_by, expires_at, uses) values (:room, sha256('t'), :me, now() + '1 day', -1)  NO  NO  NO  NO  NO
room_invites   update  update room_invites set revoked_at = now() where room_id = :room     yes   -     -     -     NO
room_invites   update  update room_invites set expires_at = 'infinity' where room_id = :room   NO  NO    NO    NO    NO
room_invites   delete  delete from room_invites where room_id = :room               NO    NO    NO    NO    NO

sessions       select  select 1 from sessions                                       NO    NO    NO    NO    NO
sessions       insert  insert into sessions (id_hash, user_id) values (sha256('s'), :me)    NO    NO    NO    NO    NO
sessions       update  update sessions set user_id = :me                            NO    NO    NO    NO    NO
sessions       delete  delete from sessions                                         NO    NO    NO    NO    NO
"""


def cases() -> list[tuple[str, str, str]]:
    """Return (person, statement, expected outcome) for each cell."""
    found = []
    for line in MATRIX.strip().splitlines()[1:]:
        if line.strip():
            _table, _verb, rest = line.split(None, 2)
            statement, *outcomes = rest.rsplit(None, len(PERSONS))
            found += [(who, statement.strip(), outcome) for who, outcome in zip(PERSONS, outcomes, strict=True)]
    return found


@dataclass(frozen=True)
class Scene:
    """A private room with an owner, a member and a third person, all of whom have said something; one was removed."""

    people: Mapping[str, Someone]
    places: Mapping[str, UUID]
    messages: Mapping[str, str]
    sql: Sql

    def values(self, who: str) -> dict[str, object]:
        me = self.people[who].id if who in self.people else uuid4()
        named = {name: person.id for name, person in self.people.items()}
        mine = self.messages.get(who, self.messages["third"])
        theirs = {"theirs": self.messages["third"], "gone": self.messages["gone"], "still": self.messages["still"]}
        return {**named, **self.places, **theirs, "me": me, "mine": mine}


@pytest_asyncio.fixture(scope="module")
async def scene(project: Settings) -> Scene:
    people = {name: await someone(name.title()) for name in ("owner", "member", "third", "removed", "outsider")}
    inside = [people[name] for name in ("owner", "member", "third", "removed")]
    private = await room(*inside, private=True)
    public = await room(await someone("Elsewhere"))
    messages = {
        name: (await say(people[name], private, "hello"))[0].id for name in ("owner", "member", "third", "removed")
    }
    await say(people["third"], private, "@Member, @Removed, @Third")
    await rooms.remove_member(people["owner"].actor, private, people["removed"].id)
    sql = await connect(project.owner_url)
    known = (private, people["third"].id)
    await sql.execute(
        "insert into chat_messages (room_id, user_id, client_id, content) values (%s, %s, 'known', 'x')", known
    )
    gone = (await say(people["third"], private, "hello"))[0].id
    await sql.execute("update chat_messages set deleted_at = now() where id = %s", [gone])
    archived = await room(people["owner"], people["third"])
    still = (await say(people["third"], archived, "hello"))[0].id
    reacted = "insert into message_reactions (message_id, user_id, emoji) values (%s, %s, '👍')"
    for name in ("owner", "member", "third", "removed"):
        await sql.execute(reacted, [messages["third"], people[name].id])
        await sql.execute("insert into thread_followers values (%s, %s)", [messages["third"], people[name].id])
    await sql.execute(reacted, [still, people["owner"].id])
    await rooms.archive(people["owner"].actor, archived)
    direct = await open_direct(people["owner"].actor, [people["member"].id, people["third"].id])
    await say(people["third"], direct, "hello")
    places = {"room": private, "public": public, "direct": direct}
    return Scene(people, places, {**messages, "gone": gone, "still": still}, sql)


@pytest.mark.parametrize(("who", "statement", "expected"), cases())
async def test_matrix(scene: Scene, who: str, statement: str, expected: str) -> None:
    outcome = await attempt(scene.sql, who, statement, scene.values(who))
    assert outcome == expected


async def attempt(sql: Sql, who: str, statement: str, values: dict[str, object]) -> str:
    role = "anon" if who == "anonymous" else "authenticated"
    claims = json.dumps({"role": role} if who == "anonymous" else {"role": role, "sub": str(values["me"])})
    try:
        async with sql.transaction(force_rollback=True):
            await sql.execute("select set_config('request.jwt.claims', %s, true)", [claims])
            await sql.execute(f"set local role {role}")
            done = await sql.execute(as_psycopg(statement), values)
            return "yes" if done.rowcount else "-"
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.RestrictViolation):
        return "NO"  # by a grant, a policy, or a trigger that was first
    except psycopg.IntegrityError:
        return "not stored"  # let through to where only the table's own constraints stood in the way


def as_psycopg(statement: str) -> str:
    for name in ("owner", "third", "theirs", "mine", "me", "room", "public", "direct", "gone", "still"):
        statement = statement.replace(f":{name}", f"%({name})s")
    return statement


def test_the_matrix_is_whole() -> None:
    """Every table of ours, and every verb on it, is in the matrix."""
    listed = {tuple(line.split()[:2]) for line in MATRIX.strip().splitlines()[1:] if line.strip()}
    tables = (
        "profiles", "chat_rooms", "room_members", "chat_messages", "thread_followers", "message_reactions",
        "message_mentions", "room_invites", "sessions",
    )  # fmt: skip
    assert listed == {(table, verb) for table in tables for verb in ("select", "insert", "update", "delete")}


async def test_every_table_has_row_level_security_and_a_policy(psql: Sql) -> None:
    rows = await psql.execute(
        "select relname, relrowsecurity, (select count(*) from pg_policy where polrelid = pg_class.oid) as policies"
        " from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
    )
    tables = await rows.fetchall()
    assert len(tables) >= 6
    assert [row["relname"] for row in tables if not row["relrowsecurity"] or not row["policies"]] == []


async def test_anonymous_has_no_privilege_at_all(psql: Sql) -> None:
    rows = await psql.execute(
        "select table_name, privilege_type from information_schema.role_table_grants"
        " where grantee in ('anon', 'PUBLIC') and table_schema in ('public', 'private')"
    )
    assert await rows.fetchall() == []


async def test_people_can_call_only_what_is_listed(psql: Sql) -> None:
    rows = await psql.execute(
        "select proname, array(select r from unnest(array['anon', 'authenticated']) r"
        " where has_function_privilege(r, oid, 'execute')) as who from pg_proc"
        " where pronamespace = 'private'::regnamespace"
    )
    callable_by = {row["proname"]: row["who"] for row in await rows.fetchall() if row["who"]}
    mine = (
        "my_room_ids",
        "knows",
        "i_may_invite",
        "invited_room",
        "accept_invite",
        "change_role",
        "my_memberships",
        "mark_unread",
        "pin_message",
        "read_thread",
        "my_people",
        "open_direct",
        "invite_address",
        "invited_by",
        "parted",
        "words_of",
        "wanted_words",
        "people_named",
        "find_messages",
        "find_alike",
    )
    assert callable_by == {name: ["authenticated"] for name in mine}


async def test_every_function_is_closed_to_search_path_tricks(psql: Sql) -> None:
    rows = await psql.execute(
        "select proname from pg_proc where pronamespace = 'private'::regnamespace"
        " and (not prosecdef or proconfig is distinct from array['search_path=\"\"'])"
    )
    assert await rows.fetchall() == []


async def test_a_query_that_forgets_the_actor_is_refused(project: Settings) -> None:
    async with await connect(project.app_url) as sql:
        tables = ("profiles", "chat_rooms", "room_members", "chat_messages", "message_reactions", "room_invites")
        for table in (*tables, "thread_followers", "sessions"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await sql.execute(f"select 1 from {table}")


async def test_the_login_role_is_nobody(psql: Sql) -> None:
    row = await (await psql.execute("select * from pg_roles where rolname = 'chat_app'")).fetchone()
    assert row
    powers = ("rolsuper", "rolinherit", "rolcreaterole", "rolcreatedb", "rolreplication", "rolbypassrls")
    assert [power for power in powers if row[power]] == []


async def test_a_person_without_rooms_sees_nothing_of_anybody(scene: Scene) -> None:
    lonely = Actor((await someone("Lonely")).id, "00")
    values = {**scene.values("outsider"), "me": lonely.user_id}
    for table in ("chat_messages", "thread_followers", "message_reactions", "room_members", "room_invites"):
        assert await attempt(scene.sql, "outsider", f"select 1 from {table}", values) == "-"


POLICIES = "select polname, polrelid::regclass::text as of, polqual is not null as q, polwithcheck is not null as c"
MUTANTS_THAT_CHANGE_NOTHING = {
    ("profiles_update", "with check"),  # the id that both ask about cannot be updated: grants
    ("chat_rooms_update", "with check"),  # nor a room's
    ("room_members_update", "with check"),  # nor whose membership it is
    ("room_invites_update", "with check"),  # nor an invite's room and maker
    ("room_invites_update", "using"),  # what one may see is the same, and `where` sees no more
    ("sessions_nobody", "using"),  # nobody was granted anything
    ("sessions_nobody", "with check"),
}


async def test_every_policy_is_needed(scene: Scene) -> None:
    """Each condition of each policy, made `true` for once, lets through what the matrix says must not be."""
    rows = await scene.sql.execute(f"{POLICIES} from pg_policy where polrelid::regclass::text not like '%.%'")
    survivors = set()
    for row in await rows.fetchall():
        for condition in [name for name, there in (("using", row["q"]), ("with check", row["c"])) if there]:
            async with scene.sql.transaction(force_rollback=True):
                await scene.sql.execute(f"alter policy {row['polname']} on {row['of']} {condition} (true)")
                if not await something_differs(scene, str(row["of"])):
                    survivors.add((row["polname"], condition))
    assert survivors == MUTANTS_THAT_CHANGE_NOTHING


async def something_differs(scene: Scene, table: str) -> bool:
    for who, statement, expected in cases():
        about = table in statement.split("where", maxsplit=1)[0]
        if about and await attempt(scene.sql, who, statement, scene.values(who)) != expected:
            return True
    return False
