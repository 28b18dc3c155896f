-- Invites that can be looked after: their list is live, and people can be invited by their address.

-- The app names an invite, since its token is derived from its id (chatapp/invites/queries.py): what is stored stays a hash.
grant insert (id) on public.room_invites to authenticated;

-- 20 links of one person's lead into a room at a time.
create function private.admit_invite() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if (select count(*) from public.room_invites
      where room_id = new.room_id and created_by = new.created_by and revoked_at is null and expires_at > now()
        and (max_uses is null or uses < max_uses)) >= 20 then
    raise exception 'A person has 20 invites to a room at the most.' using errcode = 'check_violation';
  end if;
  return new;
end $$;
create trigger admit_invite before insert on public.room_invites
  for each row execute function private.admit_invite();

-- One hint per room and statement: whoever has the list of its invites open reads it again.
create function private.hint_invites() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.hint(jsonb_build_object('what', 'invite', 'room', room_id)) from written group by room_id;
  return null;
end $$;
create trigger hint_invited after insert on public.room_invites
  referencing new table as written for each statement execute function private.hint_invites();
create trigger hint_invite_changed after update on public.room_invites
  referencing new table as written for each statement execute function private.hint_invites();

-- Make whoever has this address a member. Answers `added`, `already` in it, `unknown` address, `refused`, or `wait`: too many
-- addresses this hour.
create function private.invite_address(room uuid, address text) returns text
language plpgsql security definer set search_path = '' as $$
declare
  person uuid;
begin
  if not private.i_may_invite(room) then
    return 'refused';
  elsif not private.may_look_up(1) then
    return 'wait';
  end if;
  person := (select private.people_at(array[address]) limit 1);
  if person is null then
    return 'unknown';
  end if;
  perform from public.chat_rooms where id = room for no key update;  -- two who invite the same person wait for each other
  if exists (select from public.room_members where room_id = room and user_id = person) then
    return 'already';
  end if;
  insert into public.room_members (room_id, user_id) values (room, person);
  return 'added';
end $$;

-- Who invites by an invite that is good: whoever holds it is told before they join. Null where that account is gone.
create function private.invited_by(wanted bytea) returns text
language sql stable security definer set search_path = '' as $$
  select p.name from private.good_invite(wanted) i join public.profiles p on p.id = i.created_by
  where auth.uid() is not null
$$;

revoke execute on function private.admit_invite(), private.hint_invites(), private.invite_address(uuid, text),
  private.invited_by(bytea)
  from public, anon, authenticated, service_role;
grant execute on function private.invite_address(uuid, text), private.invited_by(bytea) to authenticated;
