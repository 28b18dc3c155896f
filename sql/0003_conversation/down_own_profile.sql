-- Undoes own_profile.sql.
revoke select (id, name, avatar_url, created_at, updated_at) on public.profiles from authenticated;
grant select on public.profiles to authenticated;
