-- Who invites by an invite that is good: whoever holds it is told before they join. Null where that account is gone.
create function private.invited_by(wanted bytea) returns text
language sql stable security definer set search_path = '' as $$
  select p.name from private.good_invite(wanted) i join public.profiles p on p.id = i.created_by
  where auth.uid() is not null
$$;

revoke execute on function private.invited_by(bytea) from public, anon, authenticated, service_role;
grant execute on function private.invited_by(bytea) to authenticated;
