-- Read markers that announce themselves, and receipts that a person can switch off.

-- A marker only moves forward within a turn, and marking as unread begins a new one: whoever hears of two markers of a
-- membership takes the greater of (read_turn, read_seq), in whatever order they come.
alter table public.room_members add column read_turn integer not null default 0;

-- Whether my markers are shown to others, and theirs to me.
alter table public.profiles add column receipts boolean not null default true;
grant update (receipts) on public.profiles to authenticated;

-- Where somebody has read to is theirs. Policies cannot hide a column of some rows, so nobody reads it plainly.
revoke select on public.room_members from authenticated;
grant select (room_id, user_id, role, level, joined_at, rev) on public.room_members to authenticated;

-- My own memberships with their markers, by one look into the index.
create function private.my_memberships() returns table (room_id uuid, role text, read_seq bigint, read_turn integer)
language sql stable security definer set search_path = '' rows 100 as $$
  select room_id, role, read_seq, read_turn from public.room_members where user_id = (select auth.uid())
$$;

-- `Mark unread from here`: the only way back for a marker. A new turn even where it is not so far yet: reports of what
-- was seen before may still be on their way. Answers whether I am in the room.
create function private.mark_unread(room uuid, from_seq bigint) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  update public.room_members set read_seq = least(read_seq, greatest(from_seq - 1, 0)), read_turn = read_turn + 1
    where room_id = room and user_id = auth.uid();
  return found;
end $$;

-- As before, but for turns: people have no right to `read_turn`, so only mark_unread begins one.
create or replace function private.stamp_member() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if (new.room_id, new.user_id) is distinct from (old.room_id, old.user_id) then
    raise exception 'A membership keeps its room and its person.' using errcode = 'restrict_violation';
  end if;
  if (new.read_turn, new.read_seq) <> (old.read_turn, old.read_seq) then
    select least(new.read_seq, last_seq) into new.read_seq from public.chat_rooms where id = new.room_id;
    if new.read_turn <= old.read_turn then
      new.read_turn := old.read_turn;
      new.read_seq := greatest(old.read_seq, new.read_seq);
    end if;
  end if;
  if new.role <> old.role then
    new.rev := private.bump_members(new.room_id, 0);
  end if;
  return new;
end $$;

-- One hint per room and statement, with the readers and their markers, [turn, seq], unless they are many. A hint may be
-- heard a moment before what it tells of can be read: who reads less than it says reads again. None for the marker that a
-- message takes along (a trigger within a trigger): the message's own hint has it.
create function private.hint_read() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if pg_trigger_depth() = 1 then
    perform private.hint(jsonb_build_object('what', 'read', 'room', room_id,
        'readers', case when count(*) <= 100 then jsonb_object_agg(user_id, array[read_turn, read_seq]) else '{}' end))
      from (
        select room_id, user_id, now_is.read_turn, now_is.read_seq from now_is join was using (room_id, user_id)
        where (now_is.read_turn, now_is.read_seq) <> (was.read_turn, was.read_seq)) moved
      group by room_id;
  end if;
  return null;
end $$;
create trigger hint_read after update on public.room_members
  referencing old table as was new table as now_is
  for each statement execute function private.hint_read();

-- Who writes has read what was said before. One statement for all rows, and no second hint: this one has the marker.
-- The room is locked by now. A membership that somebody is just ending is passed over: its deletion waits for the room.
create function private.hint_posted() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  with said as (
    select room_id, user_id, max(seq) as seq from written where user_id is not null group by room_id, user_id
  ), free as (
    select m.room_id, m.user_id, said.seq from public.room_members m join said using (room_id, user_id)
      where m.read_seq < said.seq for no key update of m skip locked
  )
  update public.room_members m set read_seq = free.seq from free
    where m.room_id = free.room_id and m.user_id = free.user_id;
  perform private.hint(jsonb_build_object('what', 'message', 'room', said.room_id, 'rev', said.rev, 'seq', said.seq,
      'readers', case when m.user_id is null then '{}' else jsonb_build_object(m.user_id, array[m.read_turn, m.read_seq]) end))
    from (select room_id, user_id, max(seq) as seq, max(rev) as rev from written group by room_id, user_id) said
    left join public.room_members m on m.room_id = said.room_id and m.user_id = said.user_id;
  return null;
end $$;
create or replace trigger hint_posted after insert on public.chat_messages
  referencing new table as written
  for each statement execute function private.hint_posted();

-- Switched on or off: whoever shows this person's markers looks again. The marker is null where it is not to be shown.
create function private.hint_receipts() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.receipts <> old.receipts then
    perform private.hint(jsonb_build_object('what', 'read', 'room', room_id, 'switched', true,
        'readers', jsonb_build_object(user_id, case when new.receipts then array[read_turn, read_seq] end)))
      from public.room_members where user_id = new.id;
  end if;
  return null;
end $$;
create trigger hint_receipts after update of receipts on public.profiles
  for each row execute function private.hint_receipts();

revoke execute on function private.my_memberships(), private.mark_unread(uuid, bigint), private.hint_read(),
  private.hint_posted(), private.hint_receipts() from public, anon, authenticated, service_role;
grant execute on function private.my_memberships(), private.mark_unread(uuid, bigint) to authenticated;
