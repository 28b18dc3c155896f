-- Undoes presence.sql.
drop function private.note_seen(uuid[]);

drop trigger touch_profile on public.profiles;
create trigger touch_profile before update on public.profiles
  for each row execute function private.touch_profile();

alter table public.profiles reset (fillfactor);
alter table public.profiles drop column last_seen_at;
