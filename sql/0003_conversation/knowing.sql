-- Whether somebody may see a person's profile is asked for the author of every message of a page, and of strangers, too.
-- What was planned for the join with the messages depended on how large the tables were taken for: at worst it read all
-- messages of all rooms that somebody is in. With the rooms as a list, the index on (user_id, room_id) is the only way.
create or replace function private.knows(person uuid) returns boolean
language plpgsql stable security definer set search_path = '' cost 1000 as $$
begin
  return exists (
      select from public.room_members mine join public.room_members theirs using (room_id)
      where mine.user_id = (select auth.uid()) and theirs.user_id = person)
    or exists (
      select from public.chat_messages
      where user_id = person
        and room_id = any (array(select room_id from public.room_members where user_id = (select auth.uid()))));
end $$;
