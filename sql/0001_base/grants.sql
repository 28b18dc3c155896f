-- Who may use which verb on which column. Hosted, default privileges give anon and authenticated everything in `public`:
-- all of it is taken back first. What is not granted here is "permission denied", whatever the policies say.

-- The login of the app. NOINHERIT: it can do nothing until a transaction takes on a role, so a query that forgets to is
-- refused. Its password is set by `python -m chatapp migrate`, for it is derived from the project's secret key.
do $$ begin
  if not exists (select from pg_roles where rolname = 'chat_app') then
    create role chat_app login noinherit;
  end if;
end $$;
alter role chat_app noinherit;
grant authenticated, service_role to chat_app;

revoke all on
  public.profiles, public.chat_rooms, public.room_members, public.chat_messages, public.room_invites, public.sessions
  from public, anon, authenticated, service_role;
revoke execute on all functions in schema private from public, anon, authenticated, service_role;
revoke all on schema private from public;
grant usage on schema private to authenticated, service_role;

grant select on public.profiles to authenticated;
grant update (name, avatar_url) on public.profiles to authenticated;

grant select, delete on public.chat_rooms to authenticated;
grant insert (id, name, description, is_private, created_by) on public.chat_rooms to authenticated;
grant update (name, description, is_private, archived_at) on public.chat_rooms to authenticated;

grant select, delete on public.room_members to authenticated;
grant insert (room_id, user_id) on public.room_members to authenticated;
grant update (level, read_seq) on public.room_members to authenticated;

-- Nobody deletes a message's row: deleting leaves a tombstone.
grant select on public.chat_messages to authenticated;
grant insert (room_id, user_id, client_id, content) on public.chat_messages to authenticated;
grant update (content, edited_at, deleted_at) on public.chat_messages to authenticated;

grant select on public.room_invites to authenticated;
grant insert (room_id, token_hash, created_by, expires_at, max_uses) on public.room_invites to authenticated;
grant update (revoked_at) on public.room_invites to authenticated;

grant execute on function
  private.my_room_ids(text[]), private.knows(uuid), private.i_may_invite(uuid), private.invited_room(bytea),
  private.accept_invite(bytea), private.change_role(uuid, uuid, text)
  to authenticated;

-- The process itself: the hub's reads, sessions, imports. Messages it can only add.
grant select on
  public.profiles, public.chat_rooms, public.room_members, public.chat_messages, public.room_invites to service_role;
grant insert, update, delete on public.chat_rooms, public.room_members to service_role;
grant insert, update on public.chat_messages to service_role;
grant select, insert, update, delete on public.sessions to service_role;
