-- Undoes threads.sql: what number_message was in 0001 and stamp_message in 0002 comes back.
create or replace function private.number_message() returns trigger
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

drop trigger show_quoted on public.chat_messages;
drop trigger follow_thread on public.chat_messages;
drop table public.thread_followers;
drop function
  private.quote_of(public.chat_messages), private.show_quoted(), private.follow_thread(), private.hint_thread(),
  private.read_thread(uuid, integer);
-- A reply was a message of its own before: it stays, in the room.
alter table public.chat_messages
  drop column parent_id, drop column reply_seq, drop column reply_count, drop column last_reply_at,
  drop column quote_id, drop column quote;
