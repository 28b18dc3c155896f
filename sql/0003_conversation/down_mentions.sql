-- Undoes mentions.sql.
drop trigger find_mentions on public.chat_messages;
drop trigger mentions_posted on public.chat_messages;
drop trigger mentions_changed on public.chat_messages;
drop table public.message_mentions;
drop function private.mentions_in(text, uuid), private.find_mentions(), private.keep_mentions(),
  private.hint_mentions(), private.mentions_of(uuid);
alter table public.chat_messages drop column mentions;
