-- Hints: content-free news on the private topic `changes`, "this room is at rev n". Whoever cares reads the rows, under
-- their own rights. realtime.send() only warns when it fails: a lost hint must not undo the write behind it.

create function private.hint(payload jsonb) returns void
language sql security definer set search_path = '' as $$
  select realtime.send(payload, 'hint', 'changes', true)
$$;

-- One hint per room and statement, however many rows.
create function private.hint_messages() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.hint(jsonb_build_object('what', 'message', 'room', room_id, 'rev', max(rev)))
    from written group by room_id;
  return null;
end $$;
create trigger hint_posted after insert on public.chat_messages
  referencing new table as written
  for each statement execute function private.hint_messages();
create trigger hint_changed after update on public.chat_messages
  referencing new table as written
  for each statement execute function private.hint_messages();

create function private.hint_member() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  room uuid := case tg_op when 'DELETE' then old.room_id else new.room_id end;
  person uuid := case tg_op when 'DELETE' then old.user_id else new.user_id end;
begin
  perform private.hint(jsonb_build_object('what', 'member', 'room', id, 'rev', rev, 'user', person))
    from public.chat_rooms where id = room;  -- none when the room itself is being deleted: it has its own hint
  return null;
end $$;
-- Triggers fire in the order of their names: this one after keep_owner, which counts a departure.
create trigger then_hint_member after insert or delete or update of role on public.room_members
  for each row execute function private.hint_member();

create function private.hint_room() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'DELETE' then
    perform private.hint(jsonb_build_object('what', 'room', 'room', old.id, 'rev', old.rev, 'gone', true));
  elsif (new.name, new.description, new.is_private, new.archived_at)
      is distinct from (old.name, old.description, old.is_private, old.archived_at) then
    perform private.hint(jsonb_build_object('what', 'room', 'room', new.id, 'rev', new.rev));
  end if;
  return null;
end $$;
create trigger hint_room after delete or update of name, description, is_private, archived_at on public.chat_rooms
  for each row execute function private.hint_room();

-- A person's new name or picture is news in each of their rooms. Locked in one order: two renames must not deadlock.
create function private.announce_profile() returns trigger
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
create trigger announce_profile after update of name, avatar_url on public.profiles
  for each row execute function private.announce_profile();

create function private.hint_session() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.hint(jsonb_build_object('what', 'session', 'session', encode(old.id_hash, 'hex')));
  return null;
end $$;
create trigger hint_session after delete on public.sessions
  for each row execute function private.hint_session();
