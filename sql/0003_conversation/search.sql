-- Search. Words lie in one index together with the room. A policy cannot be served by it (`@@` is not leakproof, so Postgres
-- must not look there before it has judged each row): private.find_messages reads past the policies, in the rooms of who asks,
-- and answers ids alone. What those messages say is then read by the person, under the policies.

create extension if not exists btree_gin with schema extensions;  -- a room's id in the index of words
create extension if not exists unaccent with schema extensions;   -- cafe finds café
create extension if not exists pg_trgm with schema extensions;    -- words that are spelled alike

-- No stemming: people of one room write in several languages. What a word begins with finds it.
create text search configuration private.plain (copy = pg_catalog.simple);
alter text search configuration private.plain
  alter mapping for word, numword, hword, numhword, hword_part, hword_numpart with extensions.unaccent, pg_catalog.simple;

-- A text as it is cut into words. Postgres' parser would take `<b>` for markup, `a/b` for a file and `-11` for a number:
-- what makes it do so becomes a control character, one each, so that search/snapshots.py can undo it. Scripts without spaces
-- (from Thai to Japanese, and Korean) are cut into characters: a word of theirs is found as a phrase.
create function private.parted(said text) returns text
language sql immutable parallel safe security definer set search_path = '' as $$
  select regexp_replace(
    translate(said, '<>&/.@:-+' || E'\x02\x03\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x1f', E'\x0e\x0f\x10\x11\x12\x13\x14\x15\x16'),
    E'([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff])',
    E'\x1f\\1\x1f', 'g')
$$;

-- The words of a message, and one that nobody can type where it has a link.
create function private.words_of(said text) returns tsvector
language sql immutable parallel safe security definer set search_path = '' as $$
  select to_tsvector('private.plain', private.parted(said))
    || case when said ~* 'https?://' then E'''\x01link'''::tsvector else ''::tsvector end
$$;

alter table public.chat_messages
  add column words tsvector not null generated always as (private.words_of(content)) stored;
alter table public.chat_messages alter column words set statistics 500;  -- plans differ by how common a word is

-- Its list of what is not yet sorted in is short: each search reads all of it.
create index chat_messages_words_idx on public.chat_messages using gin (room_id, words)
  with (gin_pending_list_limit = 256);
-- Common words are found by going back in time.
create index chat_messages_created_at_idx on public.chat_messages (created_at);

-- Asking -------------------------------------------------------------------------------------------------------------

-- What is wanted: each of `whole` as it is, each of `begun` as the beginning of a word, and a link.
create function private.wanted_words(whole text[], begun text[], link boolean) returns tsquery
language plpgsql immutable security definer set search_path = '' as $$
declare
  wanted tsquery := case when link then E'''\x01link''' else '' end;
  one tsquery;
  term text;
begin
  foreach term in array whole loop
    wanted := wanted && phraseto_tsquery('private.plain', private.parted(term));
  end loop;
  foreach term in array begun loop
    one := phraseto_tsquery('private.plain', private.parted(term));
    wanted := wanted && case when numnode(one) = 0 then one else (one::text || ':*')::tsquery end;
  end loop;
  return wanted;
end $$;

-- People in my rooms by a part of their name. 50 at the most.
create function private.people_named(part text) returns setof uuid
language sql stable security definer set search_path = '' rows 5 as $$
  select p.id from public.profiles p
  where position(lower(part) in lower(p.name)) > 0 and exists (
    select from public.room_members mine join public.room_members theirs using (room_id)
    where mine.user_id = (select auth.uid()) and theirs.user_id = p.id)
  limit 50
$$;

-- The newest messages of my rooms that have these words, at most `most` (50), before (last_at, last_id); with `best`, those of
-- the newest 200 that fit best. Null stands for "any": of `within` (rooms), `authors`, `since`, `until`.
-- Planned anew each time, for the words that are asked for: a plan for a rare word takes minutes for a common one.
create function private.find_messages(
  wanted tsquery, within uuid[], authors uuid[], since timestamptz, until timestamptz,
  best boolean, last_at timestamptz, last_id uuid, most integer) returns table (id uuid, place bigint)
language plpgsql stable security definer set search_path = '' rows 20 as $$
declare
  mine uuid[] := array(select r from private.my_room_ids() r where within is null or r = any (within));
  hits text := 'select m.id, m.created_at, m.words from public.chat_messages m where m.room_id = any ($1) and m.deleted_at is null'
    || case when numnode(wanted) > 0 then ' and m.words @@ $2' else '' end
    || case when authors is not null then ' and m.user_id = any ($3)' else '' end
    || case when since is not null then ' and m.created_at >= $4' else '' end
    || case when until is not null then ' and m.created_at < $5' else '' end
    || case when last_at is not null then ' and m.created_at <= $6 and (m.created_at, m.id) < ($6, $7)' else '' end
    || ' order by m.created_at desc, m.id desc limit $8';
begin
  if cardinality(mine) = 0 then
    return;
  end if;
  return query execute format(
      'select hits.id, row_number() over (order by %s hits.created_at desc, hits.id desc) from (%s) hits order by 2 limit %s',
      case when best and numnode(wanted) > 0 then 'ts_rank_cd(hits.words, $2) desc,' else '' end, hits, least(most, 50))
    using mine, wanted, authors, since, until, last_at, last_id, case when best then 200 else least(most, 50) end;
end $$;

-- Where nobody has written such words: messages in which each is spelled alike, among the newest 2,000 of my rooms.
-- An index for this would be three times as large as that of the words.
create function private.find_alike(terms text[], within uuid[], authors uuid[], since timestamptz, until timestamptz, most integer)
returns table (id uuid, place bigint)
language plpgsql stable security definer set search_path = '' rows 20 as $$
declare
  mine uuid[] := array(select r from private.my_room_ids() r where within is null or r = any (within) limit 2000);
begin
  if cardinality(mine) = 0 or cardinality(terms) = 0 then
    return;
  end if;
  return query
    select m.id, row_number() over (order by m.alike desc, m.created_at desc, m.id)
    from (
      select newest.id, newest.created_at, (
        select min(extensions.strict_word_similarity(term, newest.content)) from unnest(terms) term) as alike
      from unnest(mine) r cross join lateral (
        select c.id, c.created_at, c.user_id, left(c.content, 2000) as content from public.chat_messages c
        where c.room_id = r and c.deleted_at is null order by c.seq desc limit 2000 / cardinality(mine)) newest
      where (authors is null or newest.user_id = any (authors))
        and (since is null or newest.created_at >= since) and (until is null or newest.created_at < until)) m
    where m.alike >= 0.26  -- two letters of six that have changed places
    order by 2 limit least(most, 50);
end $$;

revoke execute on function
  private.parted(text), private.words_of(text), private.wanted_words(text[], text[], boolean), private.people_named(text),
  private.find_messages(tsquery, uuid[], uuid[], timestamptz, timestamptz, boolean, timestamptz, uuid, integer),
  private.find_alike(text[], uuid[], uuid[], timestamptz, timestamptz, integer)
  from public, anon, authenticated, service_role;
-- Whoever writes a message makes its words.
grant execute on function private.words_of(text) to authenticated, service_role;
grant execute on function
  private.parted(text), private.wanted_words(text[], text[], boolean), private.people_named(text),
  private.find_messages(tsquery, uuid[], uuid[], timestamptz, timestamptz, boolean, timestamptz, uuid, integer),
  private.find_alike(text[], uuid[], uuid[], timestamptz, timestamptz, integer)
  to authenticated;
