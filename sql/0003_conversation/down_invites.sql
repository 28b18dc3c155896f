-- Undoes invites.sql.
drop trigger admit_invite on public.room_invites;
drop trigger hint_invited on public.room_invites;
drop trigger hint_invite_changed on public.room_invites;
drop function private.admit_invite(), private.hint_invites(), private.invite_address(uuid, text), private.invited_by(bytea);
revoke insert (id) on public.room_invites from authenticated;
