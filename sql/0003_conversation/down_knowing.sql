-- Undoes knowing.sql: as in revision 1.
create or replace function private.knows(person uuid) returns boolean
language plpgsql stable security definer set search_path = '' cost 1000 as $$
begin
  return exists (
      select from public.room_members mine join public.room_members theirs using (room_id)
      where mine.user_id = (select auth.uid()) and theirs.user_id = person)
    or exists (
      select from public.room_members mine join public.chat_messages using (room_id)
      where mine.user_id = (select auth.uid()) and chat_messages.user_id = person);
end $$;
