-- The roles of a hosted project. `supabase_admin` (the cluster's superuser) exists since initdb and runs this file.
do $$
declare wanted record;
begin
  for wanted in
    select * from (values
      ('anon', 'nologin noinherit'),
      ('authenticated', 'nologin noinherit'),
      ('service_role', 'nologin noinherit bypassrls'),
      ('authenticator', 'login noinherit'),
      ('supabase_auth_admin', 'nologin noinherit createrole'),
      ('supabase_storage_admin', 'nologin noinherit createrole'),
      ('supabase_realtime_admin', 'nologin noinherit'),
      ('dashboard_user', 'nologin createdb createrole replication'),
      ('postgres', 'login createdb createrole replication bypassrls')
    ) as roles(name, options)
  loop
    if not exists (select from pg_roles where rolname = wanted.name) then
      execute format('create role %I %s', wanted.name, wanted.options);
    end if;
  end loop;
end $$;

grant anon, authenticated, service_role to authenticator;
-- Hosted, `postgres` may hand these roles to the login roles an application makes; so it may here.
grant anon, authenticated, service_role, authenticator to postgres with admin option;
-- Hosted, an extension lets `postgres` write policies and triggers on these services' tables. Here it is membership.
grant supabase_auth_admin, supabase_storage_admin, supabase_realtime_admin to postgres;

alter database postgres owner to postgres;
alter database postgres set search_path = "$user", public, extensions;
alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';

create schema if not exists extensions authorization postgres;
grant usage on schema extensions to anon, authenticated, service_role, dashboard_user;

-- Hosted, uuid-ossp is installed, and many a schema's keys call this one function of it. Not every Postgres comes with it.
do $$ begin
  if not exists (select from pg_available_extensions where name = 'uuid-ossp') then
    create or replace function extensions.uuid_generate_v4() returns uuid language sql as 'select gen_random_uuid()';
  end if;
end $$;

grant all on schema public to postgres;
grant usage on schema public to anon, authenticated, service_role;

-- Hosted, whatever is made in `public` is open to the API's roles; row-level security is what closes it.
do $$
declare maker text;
begin
  foreach maker in array array['postgres', 'supabase_admin'] loop
    execute format('alter default privileges for role %I in schema public
      grant all on tables to postgres, anon, authenticated, service_role', maker);
    execute format('alter default privileges for role %I in schema public
      grant all on functions to postgres, anon, authenticated, service_role', maker);
    execute format('alter default privileges for role %I in schema public
      grant all on sequences to postgres, anon, authenticated, service_role', maker);
  end loop;
end $$;

do $$ begin
  if not exists (select from pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
  end if;
end $$;
alter publication supabase_realtime owner to postgres;
