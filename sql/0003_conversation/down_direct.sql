-- Undoes direct.sql. Direct messages go with all that was said in them: without it they would have no name.
delete from public.chat_rooms where kind = 'direct';

drop trigger then_hint_directs on public.profiles;
drop trigger hint_first_word on public.chat_messages;
drop function
  private.open_direct(uuid[], text[]), private.my_people(text), private.people_at(text[]),
  private.may_look_up(integer), private.hint_first_word(), private.hint_directs();
drop table private.address_lookups;

alter policy room_members_delete on public.room_members
  using (
    user_id = (select auth.uid())
    or (role <> 'owner' and room_id in (select private.my_room_ids('{owner,admin}'))));

create or replace function private.keep_owner() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  room uuid := case tg_op when 'DELETE' then old.room_id else new.room_id end;
begin
  if tg_op = 'DELETE' then
    perform private.bump_members(room, -1);
  end if;
  if not exists (select from public.room_members where room_id = room and role = 'owner') then
    update public.room_members set role = 'owner' where room_id = room and user_id = (
      select user_id from public.room_members where room_id = room
      order by role = 'admin' desc, joined_at, user_id limit 1);
  end if;
  return null;
end $$;

create or replace function private.enter_creator() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.created_by is not null then
    insert into public.room_members (room_id, user_id, role) values (new.id, new.created_by, 'owner');
  end if;
  return null;
end $$;

alter table public.chat_rooms
  drop constraint chat_rooms_direct_check,
  drop constraint chat_rooms_name_check,
  drop column kind,
  drop column direct_key,
  add constraint chat_rooms_name_check check (char_length(name) between 1 and 80 and name = btrim(name));
