-- Mentions: whom a message names with `@`. Found here, so that nobody can make one up and a row written by hand has them
-- too. What shows is kept on the message, as reactions are; whom it is news to is a row of its own, for counting.

-- [{"id", "name"}]: the name as it was written, so that it still shows as a mention when that person has another by now.
alter table public.chat_messages
  add column mentions jsonb not null default '[]' check (jsonb_typeof(mentions) = 'array');

-- Where somebody was mentioned by somebody else. Each person's are read by their key: 20 newest of each of their rooms.
create table public.message_mentions (
  user_id uuid not null references public.profiles on delete cascade,
  room_id uuid not null, -- the message's: it goes with that
  seq bigint not null,
  message_id uuid not null references public.chat_messages on delete cascade,
  primary key (user_id, room_id, seq)
);
create index message_mentions_message_id_idx on public.message_mentions (message_id);

-- Whom a text names: after each `@` the longest name of a member, whatever its case; of two people of one name both. A
-- name ends where no letter or digit follows (scripts without spaces aside), and code mentions nobody. At most 50.
create function private.mentions_in(said text, room uuid) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  -- Two patterns: with alternatives at its top, Postgres takes the longest match and not the first.
  prose text := regexp_replace(regexp_replace(said, '```.*?(?:```|$)', ' ', 'g'), '`[^`\n]*`', ' ', 'g');
  word constant text := '[0-9A-Za-z_\u00c0-\u024f\u0370-\u052f]';
begin
  if strpos(prose, '@') = 0 then
    return '[]';
  end if;
  return (
    with people as materialized (
      select p.id, lower(p.name) as name
      from public.room_members m join public.profiles p on p.id = m.user_id
      where m.room_id = room and strpos(lower(prose), '@' || lower(p.name)) > 0
    ), parts as (
      select part, n, right(lag(part) over (order by n), 1) as before
      from string_to_table(prose, '@') with ordinality as t (part, n)
      order by n limit 200
    ), named as (
      select parts.n, people.id, left(parts.part, length(people.name)) as name,
        rank() over (partition by parts.n order by length(people.name) desc) as place
      from parts join people on starts_with(lower(parts.part), people.name)
      where parts.n > 1 and parts.before !~ word and substr(parts.part, length(people.name) + 1, 1) !~ word
    )
    select coalesce(jsonb_agg(jsonb_build_object('id', id, 'name', name) order by first, id), '[]')
    from (select id, name, min(n) as first from named where place = 1 group by id, name order by first, id limit 50) found
  );
end $$;

-- Triggers of one event fire in the order of their names: before number_message and stamp_message, which lock the room.
-- In a large one it takes a while to look for names, and nobody else needs to wait for that.
create function private.find_mentions() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  new.mentions := case when new.deleted_at is null and strpos(new.content, '@') > 0
    then private.mentions_in(new.content, new.room_id) else '[]' end;
  return new;
end $$;
create trigger find_mentions before insert or update of content, deleted_at on public.chat_messages
  for each row execute function private.find_mentions();

-- Nobody is told of what they said themselves.
create function private.keep_mentions() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  people uuid[] := array(select distinct (each ->> 'id')::uuid from jsonb_array_elements(new.mentions) each order by 1);
begin
  delete from public.message_mentions where message_id = new.id and user_id <> all (people);
  insert into public.message_mentions (user_id, room_id, seq, message_id)
    select person, new.room_id, new.seq, new.id from unnest(people) person where person is distinct from new.user_id
    on conflict do nothing;
  return null;
end $$;
create trigger mentions_posted after insert on public.chat_messages
  for each row when (new.mentions <> '[]') execute function private.keep_mentions();
create trigger mentions_changed after update of content, deleted_at on public.chat_messages
  for each row when (new.mentions <> old.mentions) execute function private.keep_mentions();

-- One hint per room and statement. `seq` is 0 where mentions were taken back.
create function private.hint_mentions() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.hint(jsonb_build_object('what', 'mention', 'room', room_id, 'people', jsonb_agg(distinct user_id),
      'seq', case tg_op when 'INSERT' then max(seq) else 0 end))
    from written where exists (select from public.chat_rooms where id = room_id)
    group by room_id having count(distinct user_id) <= 50;
  return null;
end $$;
create trigger hint_mentioned after insert on public.message_mentions
  referencing new table as written
  for each statement execute function private.hint_mentions();
create trigger hint_mentions_taken_back after delete on public.message_mentions
  referencing old table as written
  for each statement execute function private.hint_mentions();

-- Where a person was mentioned lately, in each room they are in: the newest 20, whatever they have read.
create function private.mentions_of(person uuid) returns table (room_id uuid, seqs bigint[])
language sql stable security definer set search_path = '' rows 100 as $$
  select mine.room_id, lately.seqs
  from public.room_members mine, lateral (
    select array(
      select seq from public.message_mentions
      where user_id = person and message_mentions.room_id = mine.room_id
      order by seq desc limit 20)) as lately (seqs)
  where mine.user_id = person and lately.seqs <> '{}'
$$;

alter table public.message_mentions enable row level security;
create policy message_mentions_select on public.message_mentions for select to authenticated
  using (user_id = (select auth.uid()) and room_id in (select private.my_room_ids()));

revoke all on public.message_mentions from public, anon, authenticated, service_role;
grant select on public.message_mentions to authenticated, service_role;
revoke execute on function private.mentions_in(text, uuid), private.find_mentions(), private.keep_mentions(),
  private.hint_mentions(), private.mentions_of(uuid)
  from public, anon, authenticated, service_role;
grant execute on function private.mentions_of(uuid) to service_role;
