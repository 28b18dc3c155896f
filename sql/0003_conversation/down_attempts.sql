-- Undoes attempts.sql.
drop function private.attempt(bytea, integer, interval), private.forget_attempts(bytea);
drop table private.attempts;
