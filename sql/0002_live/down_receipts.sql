-- Undoes receipts.sql.

create or replace trigger hint_posted after insert on public.chat_messages
  referencing new table as written
  for each statement execute function private.hint_messages();
drop function private.hint_posted(), private.hint_read(), private.hint_receipts() cascade;
drop function private.my_memberships(), private.mark_unread(uuid, bigint);

create or replace function private.stamp_member() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if (new.room_id, new.user_id) is distinct from (old.room_id, old.user_id) then
    raise exception 'A membership keeps its room and its person.' using errcode = 'restrict_violation';
  end if;
  if new.read_seq <> old.read_seq then
    select greatest(old.read_seq, least(new.read_seq, last_seq)) into new.read_seq
      from public.chat_rooms where id = new.room_id;
  end if;
  if new.role <> old.role then
    new.rev := private.bump_members(new.room_id, 0);
  end if;
  return new;
end $$;

revoke select (room_id, user_id, role, level, joined_at, rev) on public.room_members from authenticated;
alter table public.room_members drop column read_turn;
grant select on public.room_members to authenticated;
revoke update (receipts) on public.profiles from authenticated;
alter table public.profiles drop column receipts;
