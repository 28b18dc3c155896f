-- Undoes status.sql: as in revision 1.
create or replace function private.announce_profile() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  room uuid;
begin
  if (new.name, new.avatar_url) is not distinct from (old.name, old.avatar_url) then
    return null;
  end if;
  for room in select room_id from public.room_members where user_id = new.id order by room_id loop
    perform private.hint(jsonb_build_object(
      'what', 'member', 'room', room, 'rev', private.bump_members(room, 0), 'user', new.id));
  end loop;
  return null;
end $$;
create or replace trigger announce_profile after update of name, avatar_url on public.profiles
  for each row execute function private.announce_profile();

alter table public.profiles drop column status_emoji, drop column status_text, drop column status_until;
