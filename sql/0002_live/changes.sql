-- Reactions and pins. A reaction is a row of its own; what a message shows of them is kept on the message, so that its rev
-- moves in the same statement and the catch-up stays one query: reacting and pinning travel as an edit does.

create table public.message_reactions (
  message_id uuid not null references public.chat_messages on delete cascade,
  user_id uuid not null references public.profiles on delete cascade,
  emoji text not null,
  created_at timestamptz not null default now(),
  primary key (message_id, user_id, emoji),
  -- A floor that any writer stands on: no words, no spaces, nothing invisible or turned around. Which sequences are one
  -- emoji is Unicode's list and changes every year: the app asks it (chatapp/reactions/actions.py).
  constraint message_reactions_emoji_check check (
    char_length(emoji) between 1 and 32
    and emoji ~ '[^\u0001-\u007f]'
    and emoji !~ '[\u0001-\u0020A-Za-z\u007f-\u00a0\u200b\u200c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]')
);
create index message_reactions_user_id_idx on public.message_reactions (user_id);

-- reactions: [{"emoji", "count", "users"}] in the order in which each emoji came; at most 40 users of each, longest first.
alter table public.chat_messages
  add column reactions jsonb not null default '[]' check (jsonb_typeof(reactions) = 'array'),
  add column pinned_at timestamptz,
  add column pinned_by uuid references public.profiles on delete set null;
create index chat_messages_pinned_idx on public.chat_messages (room_id, pinned_at) where pinned_at is not null;
create index chat_messages_pinned_by_idx on public.chat_messages (pinned_by) where pinned_by is not null;

-- Reactions ----------------------------------------------------------------------------------------------------------

-- Locks are taken in one order, message before room, as an edit takes them.
create function private.admit_reaction() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  me uuid := auth.uid();
  message public.chat_messages;
begin
  -- A person who may not react must neither hold anybody up nor learn anything: row-level security refuses next.
  if me is not null and (new.user_id is distinct from me or not exists (
      select from public.chat_messages said join public.room_members mine on mine.room_id = said.room_id
      where said.id = new.message_id and mine.user_id = me)) then
    return new;
  end if;
  select * into message from public.chat_messages where id = new.message_id for no key update;
  if message.deleted_at is not null then
    raise exception 'A deleted message takes no reactions.' using errcode = 'restrict_violation';
  end if;
  -- Reacting twice is reacting once.
  if exists (select from public.message_reactions
      where message_id = new.message_id and user_id = new.user_id and emoji = new.emoji) then
    return null;
  end if;
  if jsonb_array_length(message.reactions) >= 20 and not exists (
      select from public.message_reactions where message_id = new.message_id and emoji = new.emoji) then
    raise exception 'A message takes 20 different reactions at the most.' using errcode = 'check_violation';
  end if;
  return new;
end $$;
create trigger admit_reaction before insert on public.message_reactions
  for each row execute function private.admit_reaction();

create function private.reactions_of(message uuid) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object('emoji', emoji, 'count', people, 'users', users) order by since, emoji), '[]')
  from (
    select emoji, count(*) as people, min(created_at) as since,
      to_jsonb((array_agg(user_id order by created_at, user_id))[1:40]) as users
    from public.message_reactions where message_id = message group by emoji) as each_emoji
$$;

-- Where the messages themselves are going (a room was deleted) there is nothing to show; a tombstone shows none.
create function private.show_reactions() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from written) then
    return null;  -- it fires for each message of a deleted room
  end if;
  -- Every message before any room, and in one order: an account that goes may have reacted in many.
  perform from public.chat_messages where id in (select message_id from written) order by id for no key update;
  perform from public.chat_rooms where id in (
      select room_id from public.chat_messages where id in (select message_id from written))
    order by id for no key update;
  update public.chat_messages set reactions = private.reactions_of(id)
    where id in (select message_id from written) and deleted_at is null;
  return null;
end $$;
create trigger show_added after insert on public.message_reactions
  referencing new table as written
  for each statement execute function private.show_reactions();
create trigger show_taken_back after delete on public.message_reactions
  referencing old table as written
  for each statement execute function private.show_reactions();
create trigger show_changed after update on public.message_reactions
  referencing new table as written
  for each statement execute function private.show_reactions();

-- A tombstone keeps none. One that its owner is just taking back is passed over: waiting for it would be a deadlock.
create function private.clear_reactions() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  delete from public.message_reactions where (message_id, user_id, emoji) in (
    select message_id, user_id, emoji from public.message_reactions where message_id = new.id for update skip locked);
  return null;
end $$;
create trigger clear_reactions after update of deleted_at on public.chat_messages
  for each row when (old.deleted_at is null and new.deleted_at is not null)
  execute function private.clear_reactions();

-- Messages -----------------------------------------------------------------------------------------------------------

-- As in 0001, and of what shows there is more now. A tombstone has neither reactions nor a pin.
create or replace function private.stamp_message() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if (new.id, new.room_id, new.client_id, new.seq, new.created_at)
      is distinct from (old.id, old.room_id, old.client_id, old.seq, old.created_at)
      or (new.user_id is distinct from old.user_id and new.user_id is not null) then
    raise exception 'A message keeps its place and its author.' using errcode = 'restrict_violation';
  end if;
  if old.deleted_at is not null and (new.content <> '' or new.deleted_at is null) then
    raise exception 'A deleted message stays deleted.' using errcode = 'restrict_violation';
  end if;
  if new.deleted_at is not null then
    new.content := '';
    new.deleted_at := coalesce(old.deleted_at, now());
    new.reactions := '[]';
    new.pinned_at := null;
  end if;
  new.edited_at := case when new.deleted_at is null and new.content <> old.content then now() else old.edited_at end;
  if new.pinned_at is null then
    new.pinned_by := null;
  elsif old.pinned_at is not null then
    new.pinned_at := old.pinned_at;  -- pinned once
    new.pinned_by := case when new.pinned_by is not null then old.pinned_by end;  -- null: that account is gone
  end if;
  if (new.content, new.deleted_at, new.reactions, new.pinned_at)
      is not distinct from (old.content, old.deleted_at, old.reactions, old.pinned_at) then
    new.rev := old.rev;  -- nothing that shows has changed
    return new;
  end if;
  update public.chat_rooms set rev = rev + 1 where id = new.room_id returning rev into new.rev;
  if new.pinned_at is not null and old.pinned_at is null and (
      select count(*) from public.chat_messages where room_id = new.room_id and pinned_at is not null) >= 50 then
    raise exception 'A room has 50 pinned messages at the most.' using errcode = 'check_violation';
  end if;
  return new;
end $$;

-- Any member pins and unpins. Answers `done`, or what stands in the way.
create function private.pin_message(message uuid, wanted boolean) returns text
language plpgsql security definer set search_path = '' as $$
declare
  me uuid := auth.uid();
  said public.chat_messages;
begin
  select m.* into said from public.chat_messages m join public.room_members mine on mine.room_id = m.room_id
    where m.id = message and mine.user_id = me for no key update of m;
  if not found then
    return 'missing';
  elsif said.deleted_at is not null then
    return 'deleted';
  elsif exists (select from public.chat_rooms where id = said.room_id and archived_at is not null) then
    return 'archived';
  elsif wanted and said.pinned_at is null and (
      select count(*) from public.chat_messages where room_id = said.room_id and pinned_at is not null) >= 50 then
    return 'full';
  end if;
  update public.chat_messages
    set pinned_at = case when wanted then now() end, pinned_by = case when wanted then me end
    where id = message;
  return 'done';
end $$;

-- Who may what -------------------------------------------------------------------------------------------------------

alter table public.message_reactions enable row level security;

create policy message_reactions_select on public.message_reactions for select to authenticated
  using (exists (
    select from public.chat_messages m where m.id = message_id and m.room_id in (select private.my_room_ids())));
create policy message_reactions_insert on public.message_reactions for insert to authenticated
  with check (
    user_id = (select auth.uid())
    and exists (
      select from public.chat_messages m join public.chat_rooms r on r.id = m.room_id
      where m.id = message_id and m.deleted_at is null and r.archived_at is null
        and m.room_id in (select private.my_room_ids())));
create policy message_reactions_delete on public.message_reactions for delete to authenticated
  using (
    user_id = (select auth.uid())
    and exists (
      select from public.chat_messages m join public.chat_rooms r on r.id = m.room_id
      where m.id = message_id and r.archived_at is null and m.room_id in (select private.my_room_ids())));

-- An archived room stands still: what was said there can be deleted, not changed.
alter policy chat_messages_update on public.chat_messages
  with check (
    (user_id = (select auth.uid()) and room_id in (select private.my_room_ids())
      and (deleted_at is not null
        or exists (select from public.chat_rooms r where r.id = room_id and r.archived_at is null)))
    or (deleted_at is not null and content = '' and room_id in (select private.my_room_ids('{owner,admin}'))));

revoke all on public.message_reactions from public, anon, authenticated, service_role;
grant select, delete on public.message_reactions to authenticated;
grant insert (message_id, user_id, emoji) on public.message_reactions to authenticated;
grant select, insert, delete on public.message_reactions to service_role;

revoke execute on function
  private.admit_reaction(), private.reactions_of(uuid), private.show_reactions(), private.clear_reactions(),
  private.pin_message(uuid, boolean)
  from public, anon, authenticated, service_role;
grant execute on function private.pin_message(uuid, boolean) to authenticated;
