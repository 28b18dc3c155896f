-- Undoes own_profile.sql.
drop function private.my_profile();
revoke select (id, name, avatar_url, created_at, updated_at) on public.profiles from authenticated;
grant select on public.profiles to authenticated;
