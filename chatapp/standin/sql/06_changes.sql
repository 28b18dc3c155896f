-- Who may see a row, asked for many people in one call: each question is put under the asker's role and claims, as
-- walrus does for a hosted project's postgres_changes. Whatever a policy raises is a "no" to the one it was raised for.
create or replace function _standin.visible_to(question text, askers jsonb[]) returns boolean[] language plpgsql as $$
declare
  answers boolean[] := '{}';
  asker jsonb;
  answer boolean;
begin
  foreach asker in array askers loop
    begin
      perform
        set_config('request.jwt.claims', asker::text, true),
        set_config('request.jwt.claim.sub', coalesce(asker ->> 'sub', ''), true),
        set_config('request.jwt.claim.role', asker ->> 'role', true),
        set_config('role', asker ->> 'role', true);
      execute question into answer;
      perform set_config('role', 'none', true);
    exception when others then
      answer := false;
    end;
    answers := answers || coalesce(answer, false);
  end loop;
  return answers;
end $$;
