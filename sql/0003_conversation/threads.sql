-- Replies and quotes. A reply is a message of the room (it has its seq there) that is shown in its parent's thread; what
-- shows of a thread in the room is kept on the parent, what shows of a quoted message on the one that quotes it, so that
-- both travel as an edit does. A thread counts as a room does: reply_seq is dense, unread = reply_count - read_seq.

-- quote: {"seq", "user", "said", "deleted"} of the message that quote_id names; `said` is its beginning.
alter table public.chat_messages
  add column parent_id uuid references public.chat_messages,
  add column reply_seq integer check (reply_seq > 0),
  add column reply_count integer not null default 0 check (reply_count between 0 and 1000),
  add column last_reply_at timestamptz,
  add column quote_id uuid references public.chat_messages,
  add column quote jsonb,
  add constraint chat_messages_reply_check check ((parent_id is null) = (reply_seq is null)),
  add constraint chat_messages_answer_check check (parent_id is null or quote_id is null);
create unique index chat_messages_thread_idx on public.chat_messages (parent_id, reply_seq) where parent_id is not null;
create index chat_messages_quote_id_idx on public.chat_messages (quote_id) where quote_id is not null;

-- Who follows a thread, and how far they have read it: its first author from the first reply on, and whoever replies.
create table public.thread_followers (
  parent_id uuid not null references public.chat_messages on delete cascade,
  user_id uuid not null references public.profiles on delete cascade,
  read_seq integer not null default 0 check (read_seq >= 0),
  primary key (parent_id, user_id)
) with (fillfactor = 80);
create index thread_followers_user_id_idx on public.thread_followers (user_id, parent_id);

create function private.quote_of(said public.chat_messages) returns jsonb
language sql immutable security definer set search_path = '' as $$
  select jsonb_build_object(
    'seq', said.seq, 'user', said.user_id, 'said', left(said.content, 200), 'deleted', said.deleted_at is not null)
$$;

-- Numbering ----------------------------------------------------------------------------------------------------------

-- As in 0001, and a reply gets its number in its thread. Locks are taken in one order, message before room, as edits and
-- reactions take them. A thread in a thread, an answer across rooms and a quote of what was deleted are refused.
create or replace function private.number_message() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  me uuid := auth.uid();
  answered public.chat_messages;
begin
  -- A person who may not write here must neither hold up the room nor learn anything: row-level security refuses next.
  if me is not null and (new.user_id is distinct from me or not exists (
      select from public.room_members where room_id = new.room_id and user_id = me)) then
    return new;
  end if;
  if new.parent_id is not null or new.quote_id is not null then
    select * into answered from public.chat_messages
      where id = coalesce(new.parent_id, new.quote_id) and room_id = new.room_id and parent_id is null for no key update;
    if not found then
      raise exception 'There is no such message in this room.' using errcode = 'foreign_key_violation';
    end if;
  end if;
  perform from public.chat_rooms where id = new.room_id for no key update;
  if not found then
    raise exception 'There is no room %.', new.room_id using errcode = 'foreign_key_violation';
  end if;
  if exists (select from public.chat_messages
      where room_id = new.room_id and user_id = new.user_id and client_id = new.client_id) then
    return null;
  end if;
  if new.quote_id is not null then
    if answered.deleted_at is not null then
      raise exception 'A deleted message cannot be quoted.' using errcode = 'check_violation';
    end if;
    -- An edit of a quoted message is an edit of each that quotes it: they must not become many.
    if (select count(*) from public.chat_messages where quote_id = new.quote_id) >= 100 then
      raise exception 'A message is quoted 100 times at the most.' using errcode = 'check_violation';
    end if;
    new.quote := private.quote_of(answered);
  end if;
  if new.parent_id is not null then
    update public.chat_messages
      set reply_count = reply_count + 1, last_reply_at = greatest(last_reply_at, new.created_at)
      where id = new.parent_id
      returning reply_count into new.reply_seq;
  end if;
  update public.chat_rooms
    set last_seq = last_seq + 1, rev = rev + 1, last_message_at = greatest(last_message_at, new.created_at)
    where id = new.room_id
    returning last_seq, rev into new.seq, new.rev;
  return new;
end $$;

-- As in 0002, and of what shows there is more now. Those that quote a message are locked before the room is.
create or replace function private.stamp_message() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if (new.id, new.room_id, new.client_id, new.seq, new.created_at, new.parent_id, new.reply_seq, new.quote_id)
      is distinct from (old.id, old.room_id, old.client_id, old.seq, old.created_at, old.parent_id, old.reply_seq, old.quote_id)
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
    new.quote := null;
  end if;
  new.edited_at := case when new.deleted_at is null and new.content <> old.content then now() else old.edited_at end;
  if new.pinned_at is null then
    new.pinned_by := null;
  elsif old.pinned_at is not null then
    new.pinned_at := old.pinned_at;  -- pinned once
    new.pinned_by := case when new.pinned_by is not null then old.pinned_by end;  -- null: that account is gone
  end if;
  if (new.content, new.deleted_at, new.reactions, new.pinned_at, new.reply_count, new.last_reply_at, new.quote)
      is not distinct from
      (old.content, old.deleted_at, old.reactions, old.pinned_at, old.reply_count, old.last_reply_at, old.quote) then
    new.rev := old.rev;  -- nothing that shows has changed
    return new;
  end if;
  if new.content <> old.content then
    perform from public.chat_messages where quote_id = new.id order by id for no key update;
  end if;
  update public.chat_rooms set rev = rev + 1 where id = new.room_id returning rev into new.rev;
  if new.pinned_at is not null and old.pinned_at is null and (
      select count(*) from public.chat_messages where room_id = new.room_id and pinned_at is not null) >= 50 then
    raise exception 'A room has 50 pinned messages at the most.' using errcode = 'check_violation';
  end if;
  return new;
end $$;

-- A quote says what its message says now: what was taken back is not to be read on in quotes of it.
create function private.show_quoted() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.chat_messages set quote = private.quote_of(new) where quote_id = new.id and deleted_at is null;
  return null;
end $$;
create trigger show_quoted after update on public.chat_messages
  for each row when (old.content <> new.content)
  execute function private.show_quoted();

-- Followers ----------------------------------------------------------------------------------------------------------

-- Who replies has read what was said before; whose message it is has not.
create function private.follow_thread() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.thread_followers (parent_id, user_id, read_seq)
    select new.parent_id, new.user_id, new.reply_seq where new.user_id is not null
    on conflict (parent_id, user_id) do update set read_seq = greatest(thread_followers.read_seq, excluded.read_seq);
  insert into public.thread_followers (parent_id, user_id)
    select id, user_id from public.chat_messages where id = new.parent_id and user_id is not null
    on conflict do nothing;
  return null;
end $$;
create trigger follow_thread after insert on public.chat_messages
  for each row when (new.parent_id is not null)
  execute function private.follow_thread();

-- Move my marker in a thread forward, never beyond its end. Who doesn't follow it has none.
create function private.read_thread(parent uuid, upto integer) returns void
language sql security definer set search_path = '' as $$
  update public.thread_followers f set read_seq = least(upto, m.reply_count)
  from public.chat_messages m
  where m.id = parent and f.parent_id = m.id and f.user_id = auth.uid() and f.read_seq < least(upto, m.reply_count)
    and m.room_id in (select private.my_room_ids())
$$;

-- To the reader's own tabs; the marker is in the hint, as [0, read_seq].
create function private.hint_thread() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.hint(jsonb_build_object('what', 'thread', 'room', m.room_id, 'thread', written.parent_id,
      'readers', jsonb_object_agg(written.user_id, array[0, written.read_seq])))
    from written join public.chat_messages m on m.id = written.parent_id
    group by m.room_id, written.parent_id;
  return null;
end $$;
create trigger hint_followed after insert on public.thread_followers
  referencing new table as written
  for each statement execute function private.hint_thread();
create trigger hint_thread_read after update on public.thread_followers
  referencing new table as written
  for each statement execute function private.hint_thread();

-- Who may what -------------------------------------------------------------------------------------------------------

alter table public.thread_followers enable row level security;
create policy thread_followers_select on public.thread_followers for select to authenticated
  using (user_id = (select auth.uid()) and exists (
    select from public.chat_messages m
    where m.id = thread_followers.parent_id and m.room_id in (select private.my_room_ids())));

revoke all on public.thread_followers from public, anon, authenticated, service_role;
grant select on public.thread_followers to authenticated;
grant select on public.thread_followers to service_role;
grant insert (parent_id, quote_id) on public.chat_messages to authenticated;

revoke execute on function
  private.quote_of(public.chat_messages), private.show_quoted(), private.follow_thread(), private.hint_thread(),
  private.read_thread(uuid, integer)
  from public, anon, authenticated, service_role;
grant execute on function private.read_thread(uuid, integer) to authenticated;
