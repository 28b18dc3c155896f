-- Row-level security, one policy per table and verb. `authenticated` is a person; `anon` has no policy and so sees nothing;
-- `service_role` is the process itself and is not held by these. (select auth.uid()) is asked once a query, not once a row.

alter table public.profiles enable row level security;
alter table public.chat_rooms enable row level security;
alter table public.room_members enable row level security;
alter table public.chat_messages enable row level security;
alter table public.room_invites enable row level security;
alter table public.sessions enable row level security;

-- Profiles are made by the trigger on auth.users and go with the account.
create policy profiles_select on public.profiles for select to authenticated
  using (id = (select auth.uid()) or private.knows(id));
create policy profiles_update on public.profiles for update to authenticated
  using (id = (select auth.uid())) with check (id = (select auth.uid()));

-- A room at rev 0 is being born: its creator must see it for RETURNING, before the trigger has made them a member.
create policy chat_rooms_select on public.chat_rooms for select to authenticated
  using (
    id in (select private.my_room_ids())
    or (not is_private and archived_at is null)
    or (created_by = (select auth.uid()) and rev = 0));
create policy chat_rooms_insert on public.chat_rooms for insert to authenticated
  with check (created_by = (select auth.uid()));
create policy chat_rooms_update on public.chat_rooms for update to authenticated
  using (id in (select private.my_room_ids('{owner,admin}')))
  with check (id in (select private.my_room_ids('{owner,admin}')));
create policy chat_rooms_delete on public.chat_rooms for delete to authenticated
  using (id in (select private.my_room_ids('{owner}')));

create policy room_members_select on public.room_members for select to authenticated
  using (room_id in (select private.my_room_ids()));
create policy room_members_insert on public.room_members for insert to authenticated
  with check (
    user_id = (select auth.uid()) and role = 'member'
    and exists (
      select from public.chat_rooms r where r.id = room_id and not r.is_private and r.archived_at is null));
-- Level and read marker only (see grants); roles go through private.change_role.
create policy room_members_update on public.room_members for update to authenticated
  using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
create policy room_members_delete on public.room_members for delete to authenticated
  using (
    user_id = (select auth.uid())
    or (role <> 'owner' and room_id in (select private.my_room_ids('{owner,admin}'))));

create policy chat_messages_select on public.chat_messages for select to authenticated
  using (room_id in (select private.my_room_ids()));
create policy chat_messages_insert on public.chat_messages for insert to authenticated
  with check (
    user_id = (select auth.uid())
    and room_id in (select private.my_room_ids())
    and exists (select from public.chat_rooms r where r.id = room_id and r.archived_at is null));
-- Authors edit and delete their own while they are in the room; owners and admins can only delete.
create policy chat_messages_update on public.chat_messages for update to authenticated
  using (
    (user_id = (select auth.uid()) and room_id in (select private.my_room_ids()))
    or room_id in (select private.my_room_ids('{owner,admin}')))
  with check (
    (user_id = (select auth.uid()) and room_id in (select private.my_room_ids()))
    or (deleted_at is not null and content = '' and room_id in (select private.my_room_ids('{owner,admin}'))));

create policy room_invites_select on public.room_invites for select to authenticated
  using (created_by = (select auth.uid()) or room_id in (select private.my_room_ids('{owner,admin}')));
create policy room_invites_insert on public.room_invites for insert to authenticated
  with check (created_by = (select auth.uid()) and private.i_may_invite(room_id));
create policy room_invites_update on public.room_invites for update to authenticated
  using (created_by = (select auth.uid()) or room_id in (select private.my_room_ids('{owner,admin}')))
  with check (created_by = (select auth.uid()) or room_id in (select private.my_room_ids('{owner,admin}')));

create policy sessions_nobody on public.sessions for all to authenticated, anon
  using (false) with check (false);
