-- When somebody was last here, and whether they show receipts, is nobody else's to ask for: the product shows the first
-- to those who share a room now, the policy lets anybody in who ever did. Policies cannot hide a column of some rows, so
-- people read of a profile what is on a business card; the rest of their own the process reads for them.
revoke select on public.profiles from authenticated;
grant select (id, name, avatar_url, created_at, updated_at) on public.profiles to authenticated;
