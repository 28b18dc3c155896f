-- What may be tried only so often: guesses at a password, mails to an address. Kept here, so that neither a restart nor
-- another backend begins the count anew. A key is a keyed hash: nobody's address can be read from it.
create table private.attempts (
  key bytea primary key check (octet_length(key) = 32),
  times timestamptz[] not null check (cardinality(times) <= 100),
  ends_at timestamptz not null
);
create index attempts_ends_at_idx on private.attempts (ends_at);

-- Count an attempt, if there were fewer than `most` in the time before now; answers whether it was counted.
create function private.attempt(which bytea, most integer, within interval) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  moment timestamptz;
  recent timestamptz[];
begin
  delete from private.attempts where key in (
    select key from private.attempts where ends_at < clock_timestamp() order by ends_at limit 100 for update skip locked);
  insert into private.attempts (key, times, ends_at) values (which, '{}', clock_timestamp() + within)
    on conflict (key) do update set key = excluded.key  -- changes nothing, but locks: one at a time
    returning times into recent;
  moment := clock_timestamp();
  recent := array(select time from unnest(recent) time where time > moment - within);
  if cardinality(recent) >= most then
    return false;
  end if;
  update private.attempts set times = recent || moment, ends_at = moment + within where key = which;
  return true;
end $$;

-- Whoever has proved who they are begins anew.
create function private.forget_attempts(which bytea) returns void
language sql security definer set search_path = '' as $$
  delete from private.attempts where key = which
$$;

alter table private.attempts enable row level security;
revoke all on private.attempts from public, anon, authenticated, service_role;
revoke execute on function private.attempt(bytea, integer, interval), private.forget_attempts(bytea)
  from public, anon, authenticated, service_role;
grant execute on function private.attempt(bytea, integer, interval), private.forget_attempts(bytea) to service_role;
