-- Undoes changes.sql: what stamp_message and the policy were in 0001 comes back.
alter policy chat_messages_update on public.chat_messages
  with check (
    (user_id = (select auth.uid()) and room_id in (select private.my_room_ids()))
    or (deleted_at is not null and content = '' and room_id in (select private.my_room_ids('{owner,admin}'))));

create or replace function private.stamp_message() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if (new.id, new.room_id, new.client_id, new.seq, new.created_at)
      is distinct from (old.id, old.room_id, old.client_id, old.seq, old.created_at)
      or (new.user_id is distinct from old.user_id and new.user_id is not null) then
    raise exception 'A message keeps its place and its author.' using errcode = 'restrict_violation';
  end if;
  if old.deleted_at is not null and (new.content <> '' or new.deleted_at is null) then
    raise exception 'A deleted message stays deleted.' using errcode = 'restrict_violation';
  end if;
  if old.deleted_at is null and new.deleted_at is not null then
    new.deleted_at := now();
    new.content := '';
    new.edited_at := old.edited_at;
  elsif new.content is distinct from old.content then
    new.edited_at := now();
  else
    new.edited_at := old.edited_at;
    new.deleted_at := old.deleted_at;
    new.rev := old.rev;  -- nothing that shows has changed
    return new;
  end if;
  update public.chat_rooms set rev = rev + 1 where id = new.room_id returning rev into new.rev;
  return new;
end $$;

drop trigger clear_reactions on public.chat_messages;
drop table public.message_reactions;
drop function
  private.admit_reaction(), private.reactions_of(uuid), private.show_reactions(), private.clear_reactions(),
  private.pin_message(uuid, boolean);
alter table public.chat_messages drop column reactions, drop column pinned_at, drop column pinned_by;
