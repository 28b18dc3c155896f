-- Counters and what must hold. These run for everybody, psql included, so a row written by hand is numbered and live too.
-- Each function is SECURITY DEFINER: it counts in rows its caller may not touch. The empty search_path is what makes that safe.

-- An account is a profile from its first moment. Whatever the name says, signing up must not fail on it.
create function private.make_profile() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  wanted text := left(btrim(coalesce(new.raw_user_meta_data ->> 'name', '')), 80);
  fallback text := left(split_part(coalesce(new.email, ''), '@', 1), 80);
begin
  insert into public.profiles (id, name)
  values (new.id, coalesce(nullif(wanted, ''), nullif(fallback, ''), 'Someone'))
  on conflict (id) do nothing;
  return new;
end $$;
create trigger make_profile after insert on auth.users
  for each row execute function private.make_profile();

-- A project may have had accounts before it had this chat.
insert into public.profiles (id, name)
select id, coalesce(
    nullif(left(btrim(coalesce(raw_user_meta_data ->> 'name', '')), 80), ''),
    nullif(left(split_part(coalesce(email, ''), '@', 1), 80), ''), 'Someone')
from auth.users
on conflict (id) do nothing;

create function private.touch_profile() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  new.updated_at := now();
  return new;
end $$;
create trigger touch_profile before update on public.profiles
  for each row execute function private.touch_profile();

-- Messages ---------------------------------------------------------------------------------------------------------

-- Number a new message. The room's row stays locked until commit, so numbers become visible in their order and without
-- holes. A client_id that is already there makes no row and takes no number: a retry is harmless.
-- Imports: each message of a transaction adds a version of the room's row that the next one walks past, so the work grows
-- with the square (200 messages 0.08 s, 5,000 messages 4.3 s): commit every few hundred.
create function private.number_message() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  me uuid := auth.uid();
begin
  -- A person who may not write here must neither hold up the room nor learn anything: row-level security refuses next.
  if me is not null and (new.user_id is distinct from me or not exists (
      select from public.room_members where room_id = new.room_id and user_id = me)) then
    return new;
  end if;
  perform from public.chat_rooms where id = new.room_id for no key update;
  if not found then
    raise exception 'There is no room %.', new.room_id using errcode = 'foreign_key_violation';
  end if;
  if exists (select from public.chat_messages
      where room_id = new.room_id and user_id = new.user_id and client_id = new.client_id) then
    return null;
  end if;
  update public.chat_rooms
    set last_seq = last_seq + 1, rev = rev + 1, last_message_at = greatest(last_message_at, new.created_at)
    where id = new.room_id
    returning last_seq, rev into new.seq, new.rev;
  return new;
end $$;
create trigger number_message before insert on public.chat_messages
  for each row execute function private.number_message();

-- Stamp an edit or a deletion. A message keeps its place and its author; a deleted one is a tombstone for good.
create function private.stamp_message() returns trigger
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
  if old.deleted_at is null and new.deleted_at is not null then
    new.deleted_at := now();
    new.content := '';
    new.edited_at := old.edited_at;
  elsif new.content is distinct from old.content then
    new.edited_at := now();
  else
    new.edited_at := old.edited_at;
    new.deleted_at := old.deleted_at;
    new.rev := old.rev;  -- nothing that shows has changed
    return new;
  end if;
  update public.chat_rooms set rev = rev + 1 where id = new.room_id returning rev into new.rev;
  return new;
end $$;
create trigger stamp_message before update on public.chat_messages
  for each row execute function private.stamp_message();

-- Members ----------------------------------------------------------------------------------------------------------

create function private.bump_members(room uuid, joined integer) returns bigint
language sql security definer set search_path = '' as $$
  update public.chat_rooms set rev = rev + 1, members_rev = rev + 1, member_count = member_count + joined
    where id = room
    returning rev
$$;

-- Joining twice is joining once. Who joins has read what was said before: nobody starts with a thousand unread messages.
create function private.stamp_new_member() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  me uuid := auth.uid();
begin
  select last_seq into new.read_seq from public.chat_rooms where id = new.room_id for no key update;
  if not found then
    raise exception 'There is no room %.', new.room_id using errcode = 'foreign_key_violation';
  end if;
  -- Only about oneself: to others, silence here would tell that somebody is in a room.
  if coalesce(new.user_id = me, true) and exists (
      select from public.room_members where room_id = new.room_id and user_id = new.user_id) then
    return null;
  end if;
  new.rev := private.bump_members(new.room_id, 1);
  return new;
end $$;
create trigger stamp_new_member before insert on public.room_members
  for each row execute function private.stamp_new_member();

-- The read marker moves forward only, and never beyond what has been said. It moves often, so it is no change of the room.
create function private.stamp_member() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if (new.room_id, new.user_id) is distinct from (old.room_id, old.user_id) then
    raise exception 'A membership keeps its room and its person.' using errcode = 'restrict_violation';
  end if;
  if new.read_seq <> old.read_seq then
    select greatest(old.read_seq, least(new.read_seq, last_seq)) into new.read_seq
      from public.chat_rooms where id = new.room_id;
  end if;
  if new.role <> old.role then
    new.rev := private.bump_members(new.room_id, 0);
  end if;
  return new;
end $$;
create trigger stamp_member before update on public.room_members
  for each row execute function private.stamp_member();

-- A room that has members has an owner: else the longest-standing admin becomes it, else the longest-standing member.
create function private.keep_owner() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  room uuid := case tg_op when 'DELETE' then old.room_id else new.room_id end;
begin
  if tg_op = 'DELETE' then
    perform private.bump_members(room, -1);
  end if;
  if not exists (select from public.room_members where room_id = room and role = 'owner') then
    update public.room_members set role = 'owner' where room_id = room and user_id = (
      select user_id from public.room_members where room_id = room
      order by role = 'admin' desc, joined_at, user_id limit 1);
  end if;
  return null;
end $$;
create trigger keep_owner after insert or delete or update of role on public.room_members
  for each row execute function private.keep_owner();

-- Rooms ------------------------------------------------------------------------------------------------------------

-- A room is born with its creator as its owner: nobody can make one half.
create function private.enter_creator() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.created_by is not null then
    insert into public.room_members (room_id, user_id, role) values (new.id, new.created_by, 'owner');
  end if;
  return null;
end $$;
create trigger enter_creator after insert on public.chat_rooms
  for each row execute function private.enter_creator();

create function private.stamp_room() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if (new.name, new.description, new.is_private, new.archived_at)
      is distinct from (old.name, old.description, old.is_private, old.archived_at) then
    new.rev := old.rev + 1;
  end if;
  return new;
end $$;
create trigger stamp_room before update of name, description, is_private, archived_at on public.chat_rooms
  for each row execute function private.stamp_room();
