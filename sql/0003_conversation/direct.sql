-- Direct messages: rooms without a name, one for each set of people. Who is in one is what it is: nobody joins, leaves or is
-- removed, nobody runs it, and the same people always come back to the same room.

-- direct_key is the sha-256 of its people's ids, in order: the same set cannot have two rooms.
alter table public.chat_rooms
  add column kind text not null default 'room' check (kind in ('room', 'direct')),
  add column direct_key bytea unique check (octet_length(direct_key) = 32),
  drop constraint chat_rooms_name_check,
  add constraint chat_rooms_name_check check (
    case kind when 'direct' then name = '' else char_length(name) between 1 and 80 and name = btrim(name) end),
  add constraint chat_rooms_direct_check check (
    case kind when 'direct' then direct_key is not null and is_private else direct_key is null end);

-- As before, but for direct messages: whoever makes one is no owner of it.
create or replace function private.enter_creator() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.created_by is not null and new.kind = 'room' then
    insert into public.room_members (room_id, user_id, role) values (new.id, new.created_by, 'owner');
  end if;
  return null;
end $$;

-- As before, but for direct messages, which have no owner: without one nobody may rename, archive, delete or invite.
create or replace function private.keep_owner() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  room uuid := case tg_op when 'DELETE' then old.room_id else new.room_id end;
begin
  if tg_op = 'DELETE' then
    perform private.bump_members(room, -1);
  end if;
  if not exists (select from public.room_members where room_id = room and role = 'owner')
      and exists (select from public.chat_rooms where id = room and kind = 'room') then
    update public.room_members set role = 'owner' where room_id = room and user_id = (
      select user_id from public.room_members where room_id = room
      order by role = 'admin' desc, joined_at, user_id limit 1);
  end if;
  return null;
end $$;

alter policy room_members_delete on public.room_members
  using (
    (user_id = (select auth.uid())
      or (role <> 'owner' and room_id in (select private.my_room_ids('{owner,admin}'))))
    and exists (select from public.chat_rooms r where r.id = room_id and r.kind = 'room'));

-- Finding people -----------------------------------------------------------------------------------------------------

-- Who has asked for addresses, and when: guessing who has an account here must stay slow, whichever backend is asked.
create table private.address_lookups (
  user_id uuid not null references public.profiles on delete cascade,
  at timestamptz not null default clock_timestamp()
);
create index address_lookups_user_id_idx on private.address_lookups (user_id, at);

-- Whether I may ask for so many addresses now; if so, they count. 30 an hour.
create function private.may_look_up(number integer) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  me uuid := auth.uid();
begin
  perform from public.profiles where id = me for no key update;  -- one at a time
  delete from private.address_lookups where user_id = me and at < clock_timestamp() - interval '1 hour';
  if (select count(*) from private.address_lookups where user_id = me) + number > 30 then
    return false;
  end if;
  insert into private.address_lookups (user_id) select me from generate_series(1, number);
  return true;
end $$;

-- Whose confirmed addresses these are: an address that nobody has confirmed may be somebody else's.
create function private.people_at(addresses text[]) returns setof uuid
language sql stable security definer set search_path = '' as $$
  select p.id from auth.users u join public.profiles p on p.id = u.id
  where u.email = any (select lower(address) from unnest(addresses) address) and u.email_confirmed_at is not null
$$;

-- People I share a room with, by a part of their name: those with whom I share most first.
create function private.my_people(search text) returns table (id uuid, name text, avatar_url text)
language sql stable security definer set search_path = '' rows 20 as $$
  select p.id, p.name, p.avatar_url
  from (
    select theirs.user_id, count(*) as shared
    from public.room_members mine join public.room_members theirs using (room_id)
    where mine.user_id = (select auth.uid()) and theirs.user_id <> mine.user_id
    group by theirs.user_id
  ) known join public.profiles p on p.id = known.user_id
  where position(lower(search) in lower(p.name)) > 0
  order by shared desc, lower(p.name), p.id limit 20
$$;

-- Opening one --------------------------------------------------------------------------------------------------------

-- The room of these people and me, made where there is none yet. I can name people I share a room with by their id, and
-- anybody by their exact address. Without a room there is a refusal: `nobody` is named, too `many` are, somebody is a
-- `stranger`, an address is `unknown`, or there were too many addresses this hour: `wait`.
create function private.open_direct(people uuid[], addresses text[], out room uuid, out refusal text)
language plpgsql security definer set search_path = '' as $$
declare
  me uuid := auth.uid();
  found_people uuid[] := '{}';
  everyone uuid[];
  key bytea;
begin
  if cardinality(people) + cardinality(addresses) > 20 then
    refusal := 'many';
  elsif me is null or exists (
      select from unnest(people) person where person is distinct from me and not exists (
        select from public.room_members mine join public.room_members theirs using (room_id)
        where mine.user_id = me and theirs.user_id = person)) then
    refusal := 'stranger';
  elsif cardinality(addresses) > 0 and not private.may_look_up(cardinality(addresses)) then
    refusal := 'wait';
  end if;
  if refusal is not null then
    return;
  end if;

  if cardinality(addresses) > 0 then
    found_people := array(select private.people_at(addresses));
    if cardinality(found_people) < (select count(distinct lower(address)) from unnest(addresses) address) then
      refusal := 'unknown';
      return;
    end if;
  end if;
  everyone := array(select distinct person from unnest(people || found_people || me) person order by person);
  if cardinality(everyone) < 2 or cardinality(everyone) > 9 then
    refusal := case when cardinality(everyone) < 2 then 'nobody' else 'many' end;
    return;
  end if;

  key := sha256(convert_to(array_to_string(everyone, ','), 'UTF8'));
  -- Of two who open it at once, the second waits here for the first, and then finds it.
  insert into public.chat_rooms (name, kind, direct_key, is_private, created_by) values ('', 'direct', key, true, me)
    on conflict (direct_key) do nothing returning id into room;
  if room is not null then
    insert into public.room_members (room_id, user_id) select room, person from unnest(everyone) person;
  else
    select id into room from public.chat_rooms where direct_key = key;
  end if;
end $$;

-- What is on whose list ----------------------------------------------------------------------------------------------

-- The others see a direct message once something is said in it: then their lists are read again.
create function private.hint_first_word() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if exists (select from public.chat_rooms where id = new.room_id and kind = 'direct') then
    perform private.hint(jsonb_build_object('what', 'room', 'room', new.room_id, 'rev', new.rev));
  end if;
  return null;
end $$;
create trigger hint_first_word after insert on public.chat_messages
  for each row when (new.seq = 1) execute function private.hint_first_word();

-- Somebody's new name or picture is what their direct messages go by on the others' lists. After announce_profile, which
-- moves the room's rev.
create function private.hint_directs() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if (new.name, new.avatar_url) is distinct from (old.name, old.avatar_url) then
    perform private.hint(jsonb_build_object('what', 'room', 'room', r.id, 'rev', r.rev))
      from public.room_members m join public.chat_rooms r on r.id = m.room_id
      where m.user_id = new.id and r.kind = 'direct';
  end if;
  return null;
end $$;
create trigger then_hint_directs after update of name, avatar_url on public.profiles
  for each row execute function private.hint_directs();

-- Who may what -------------------------------------------------------------------------------------------------------

-- Nobody reads or writes it but the functions above.
alter table private.address_lookups enable row level security;
revoke all on private.address_lookups from public, anon, authenticated, service_role;

revoke execute on function
  private.may_look_up(integer), private.people_at(text[]), private.my_people(text),
  private.open_direct(uuid[], text[]), private.hint_first_word(), private.hint_directs()
  from public, anon, authenticated, service_role;
grant execute on function private.my_people(text), private.open_direct(uuid[], text[])
  to authenticated;
