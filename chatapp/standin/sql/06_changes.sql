drop function if exists _standin.visible_to(text, jsonb[]);
drop function if exists _standin.visible_to(text, text[], jsonb[], boolean[]);

-- The log tells of a commit a moment before others can see it: whoever asks so soon would be told "no such row".
create or replace function _standin.await_end(transaction bigint) returns void language plpgsql as $$
declare
  newest bigint;
  whole bigint; -- the log tells the lower half of a number
begin
  for attempt in 1 .. 3000 loop
    newest := pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
    whole := (newest >> 32 << 32) | transaction;
    if whole > newest + (1::bigint << 31) then
      whole := whole - (1::bigint << 32);
    end if;
    exit when pg_visible_in_snapshot(whole::text::xid8, pg_current_snapshot());
    if attempt > 60 then -- it takes microseconds as a rule, and the shortest sleep is a millisecond
      perform pg_sleep(0.001);
    end if;
  end loop;
end $$;

-- Who may see a row, asked for many people in one call: the prepared question (EXECUTE knows it by `question`) is put under
-- the role and claims of each asker that is `wanted`, as walrus does for a hosted project's postgres_changes. Whatever a
-- policy raises is a "no" to the one it was raised for.
create or replace function _standin.visible_to(transaction bigint, question text, key text[], askers jsonb[], wanted boolean[])
returns boolean[] language plpgsql as $$
declare
  command text := format('execute %I(%s)', question, (select string_agg(quote_nullable(each), ',') from unnest(key) each));
  answers boolean[] := '{}';
  answer boolean;
begin
  perform _standin.await_end(transaction);
  for number in 1 .. cardinality(askers) loop
    answer := false;
    if wanted[number] then
      begin
        perform
          set_config('request.jwt.claims', askers[number]::text, true),
          set_config('request.jwt.claim.sub', coalesce(askers[number] ->> 'sub', ''), true),
          set_config('request.jwt.claim.role', askers[number] ->> 'role', true),
          set_config('role', askers[number] ->> 'role', true);
        execute command into answer;
        perform set_config('role', 'none', true);
      exception when others then
        answer := false;
      end;
    end if;
    answers := answers || coalesce(answer, false);
  end loop;
  return answers;
end $$;
