-- The functions first, and with them every trigger: the one on auth.users belongs to a table that isn't ours to alter.
do $$
declare routine regprocedure;
begin
  for routine in select oid from pg_proc where pronamespace = 'private'::regnamespace loop
    execute format('drop function %s cascade', routine);
  end loop;
end $$;

drop table public.sessions, public.room_invites, public.chat_messages, public.room_members, public.chat_rooms, public.profiles;
revoke usage on schema private from authenticated, service_role;

-- The login stays when it is of use elsewhere in the cluster: then it has privileges we did not give.
do $$ begin
  drop role if exists chat_app;
exception when dependent_objects_still_exist then
  raise notice 'The role chat_app is still in use and stays.';
end $$;
