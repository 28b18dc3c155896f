-- When somebody was last here, and whether they show receipts, is nobody else's to ask for: the product shows the first
-- to those who share a room now, the policy lets anybody in who ever did. Policies cannot hide a column of some rows, so
-- people read of a profile what is on a business card, and the rest of their own by a function.
revoke select on public.profiles from authenticated;
grant select (id, name, avatar_url, created_at, updated_at) on public.profiles to authenticated;

create function private.my_profile() returns setof public.profiles
language sql stable security definer set search_path = '' rows 1 as $$
  select * from public.profiles where id = (select auth.uid())
$$;
revoke execute on function private.my_profile() from public, anon, authenticated, service_role;
grant execute on function private.my_profile() to authenticated;
