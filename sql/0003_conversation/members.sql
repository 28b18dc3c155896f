-- Who leaves a room and comes back starts above all turns they had there: a tab that still knows a marker of their
-- earlier stay would take it for the newer one, count from it, and report in a turn that no longer counts.
alter table public.chat_rooms add column past_turn integer not null default 0;

-- The room's row is locked by now: keep_owner, which is first by its name, has counted the departure.
create function private.keep_turn() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.chat_rooms set past_turn = greatest(past_turn, old.read_turn) where id = old.room_id;
  return null;
end $$;
create trigger keep_turn after delete on public.room_members
  for each row when (old.read_turn > 0) execute function private.keep_turn();

-- After stamp_new_member, which has locked the room. Turn 0 stays the first one where nobody with another has left.
create function private.begin_turn() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  past integer := (select past_turn from public.chat_rooms where id = new.room_id);
begin
  if past > 0 then
    new.read_turn := greatest(new.read_turn, past + 1);
  end if;
  return new;
end $$;
create trigger then_begin_turn before insert on public.room_members
  for each row execute function private.begin_turn();

revoke execute on function private.keep_turn(), private.begin_turn() from public, anon, authenticated, service_role;
