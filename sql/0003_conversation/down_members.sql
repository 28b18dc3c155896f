-- Undoes members.sql.
drop trigger then_begin_turn on public.room_members;
drop trigger keep_turn on public.room_members;
drop function private.begin_turn(), private.keep_turn();
alter table public.chat_rooms drop column past_turn;
