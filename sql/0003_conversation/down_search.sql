-- The extensions stay: others may use them by now.
drop function private.find_alike(text[], uuid[], uuid[], timestamptz, timestamptz, integer);
drop function private.find_messages(tsquery, uuid[], uuid[], timestamptz, timestamptz, boolean, timestamptz, uuid, integer);
drop function private.people_named(text);
drop function private.wanted_words(text[], text[], boolean);
drop index public.chat_messages_created_at_idx;
alter table public.chat_messages drop column words;
drop function private.words_of(text);
drop function private.parted(text);
drop text search configuration private.plain;
