-- Who may see a row, asked for many people in one call: the prepared question (EXECUTE knows it by `question`) is put under
-- the role and claims of each asker that is `wanted`, as walrus does for a hosted project's postgres_changes. Whatever a
-- policy raises is a "no" to the one it was raised for.
drop function if exists _standin.visible_to(text, jsonb[]);
create or replace function _standin.visible_to(question text, key text[], askers jsonb[], wanted boolean[])
returns boolean[] language plpgsql as $$
declare
  command text := format('execute %I(%s)', question, (select string_agg(quote_nullable(each), ',') from unnest(key) each));
  answers boolean[] := '{}';
  answer boolean;
begin
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
