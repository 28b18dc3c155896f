drop function private.invited_by(bytea);
