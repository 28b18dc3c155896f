-- What somebody says of themselves: an emoji, a few words, and until when. Nothing runs when it ends: who shows it looks
-- at the clock. To be executed after whatever takes rights on profiles back, for it grants its columns by name.
alter table public.profiles
  add column status_emoji text not null default '' check (char_length(status_emoji) <= 16),
  add column status_text text not null default '' check (char_length(status_text) <= 100 and status_text = btrim(status_text)),
  add column status_until timestamptz;
grant select (status_emoji, status_text, status_until), update (status_emoji, status_text, status_until)
  on public.profiles to authenticated;

-- As before, and with the status: news in each of the person's rooms, locked in one order.
create or replace function private.announce_profile() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  room uuid;
begin
  if (new.name, new.avatar_url, new.status_emoji, new.status_text, new.status_until)
      is not distinct from (old.name, old.avatar_url, old.status_emoji, old.status_text, old.status_until) then
    return null;
  end if;
  for room in select room_id from public.room_members where user_id = new.id order by room_id loop
    perform private.hint(jsonb_build_object(
      'what', 'member', 'room', room, 'rev', private.bump_members(room, 0), 'user', new.id));
  end loop;
  return null;
end $$;
create or replace trigger announce_profile
  after update of name, avatar_url, status_emoji, status_text, status_until on public.profiles
  for each row execute function private.announce_profile();
