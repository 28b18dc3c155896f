-- Questions that policies ask, and verbs that need more rights than their caller has. Each states who may do what.
-- The questions read the tables as their owner: asked inside a policy of the same table, they would recurse otherwise.

create function private.my_room_ids(roles text[] default '{owner,admin,member}') returns setof uuid
language sql stable security definer set search_path = '' as $$
  select room_id from public.room_members where user_id = (select auth.uid()) and role = any (roles)
$$;

-- People I share a room with, and those whose messages I can read although they have left.
-- Its cost tells the planner to ask once a person, not once a message.
create function private.knows(person uuid) returns boolean
language plpgsql stable security definer set search_path = '' cost 1000 as $$
begin
  return exists (
      select from public.room_members mine join public.room_members theirs using (room_id)
      where mine.user_id = (select auth.uid()) and theirs.user_id = person)
    or exists (
      select from public.room_members mine join public.chat_messages using (room_id)
      where mine.user_id = (select auth.uid()) and chat_messages.user_id = person);
end $$;

-- Invites ------------------------------------------------------------------------------------------------------------

-- Into a public room any member may invite, into a private one its owner and admins.
create function private.may_invite(room uuid, person uuid) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select from public.chat_rooms r join public.room_members m on m.room_id = r.id
    where r.id = room and m.user_id = person and r.archived_at is null
      and (not r.is_private or m.role in ('owner', 'admin')))
$$;

-- The same about oneself: only this one may be asked by people, the other would tell who is where.
create function private.i_may_invite(room uuid) returns boolean
language sql stable security definer set search_path = '' as $$
  select private.may_invite(room, (select auth.uid()))
$$;

-- An invite is good while its maker may still invite: someone who was removed must not get back in by a link of their own.
create function private.good_invite(wanted bytea) returns setof public.room_invites
language sql stable security definer set search_path = '' as $$
  select * from public.room_invites
  where token_hash = wanted and revoked_at is null and expires_at > now()
    and (max_uses is null or uses < max_uses)
    and private.may_invite(room_id, created_by)
$$;

-- Where an invite leads; no row when it is not good. For a member it stays good: the link is how they find the room again.
create function private.invited_room(wanted bytea) returns setof public.chat_rooms
language sql stable security definer set search_path = '' as $$
  select * from public.chat_rooms
  where auth.uid() is not null and id in (
    select room_id from private.good_invite(wanted)
    union
    select i.room_id from public.room_invites i join public.room_members m using (room_id)
    where i.token_hash = wanted and m.user_id = (select auth.uid()))
$$;

-- Become a member by an invite. Answers the room, or null when the invite is not good. Members use nothing up.
create function private.accept_invite(wanted bytea) returns uuid
language plpgsql security definer set search_path = '' as $$
declare
  me uuid := auth.uid();
  target uuid;
begin
  -- The lock makes two people with the last use wait for each other.
  select room_id into target from public.room_invites where token_hash = wanted for update;
  if me is null or target is null then
    return null;
  end if;
  if exists (select from public.room_members where room_id = target and user_id = me) then
    return target;
  end if;
  if not exists (select from private.good_invite(wanted)) then
    return null;
  end if;
  insert into public.room_members (room_id, user_id) values (target, me);
  update public.room_invites set uses = uses + 1 where token_hash = wanted;
  return target;
end $$;

-- Roles --------------------------------------------------------------------------------------------------------------

-- The owner and admins make people admin or member; only the owner hands the room over, and is an admin from then on.
-- Nobody takes the owner's role away. Answers whether the person has the wanted role now.
create function private.change_role(room uuid, person uuid, wanted text) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  me uuid := auth.uid();
  mine text;
begin
  perform from public.chat_rooms where id = room for no key update;
  select role into mine from public.room_members where room_id = room and user_id = me;
  if mine is null or mine = 'member' or (wanted = 'owner' and mine <> 'owner') then
    return false;
  end if;
  update public.room_members set role = wanted where room_id = room and user_id = person and role <> 'owner';
  if found and wanted = 'owner' then
    update public.room_members set role = 'admin' where room_id = room and user_id = me;
  end if;
  return exists (select from public.room_members where room_id = room and user_id = person and role = wanted);
end $$;
