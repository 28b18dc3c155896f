-- Ids are uuid because auth.uid() is. Lengths are in characters. Every foreign key has an index on its referencing side.

create schema if not exists private;

create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  name text not null check (char_length(name) between 1 and 80),
  avatar_url text check (char_length(avatar_url) <= 500),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- last_seq counts messages, rev counts every change, members_rev is the rev of the last change to the members.
-- Each message updates its room's row: the spare room on the page keeps those updates off the indexes.
create table public.chat_rooms (
  id uuid primary key default gen_random_uuid(),
  name text not null check (char_length(name) between 1 and 80 and name = btrim(name)),
  description text not null default '' check (char_length(description) <= 300),
  is_private boolean not null default false,
  created_by uuid references public.profiles on delete set null,
  created_at timestamptz not null default now(),
  archived_at timestamptz,
  last_seq bigint not null default 0 check (last_seq >= 0),
  rev bigint not null default 0 check (rev >= 0),
  members_rev bigint not null default 0,
  member_count integer not null default 0 check (member_count >= 0),
  last_message_at timestamptz
) with (fillfactor = 50);
create index chat_rooms_created_by_idx on public.chat_rooms (created_by);
-- Browsing: public rooms, the liveliest first.
create index chat_rooms_public_idx on public.chat_rooms (member_count desc, id)
  where not is_private and archived_at is null;

create table public.room_members (
  room_id uuid not null references public.chat_rooms on delete cascade,
  user_id uuid not null references public.profiles on delete cascade,
  role text not null default 'member' check (role in ('owner', 'admin', 'member')),
  level text not null default 'all' check (level in ('all', 'mentions', 'none')),
  read_seq bigint not null default 0 check (read_seq >= 0),
  joined_at timestamptz not null default now(),
  rev bigint not null default 0,
  primary key (room_id, user_id)
) with (fillfactor = 80);
create index room_members_user_id_idx on public.room_members (user_id, room_id);
create index room_members_owner_idx on public.room_members (room_id) where role = 'owner';

-- user_id is null when the account is gone: what was said stays in its place, so that seq has no holes.
create table public.chat_messages (
  id uuid primary key default gen_random_uuid(),
  room_id uuid not null references public.chat_rooms on delete cascade,
  user_id uuid references public.profiles on delete set null,
  client_id text not null check (char_length(client_id) between 1 and 64),
  seq bigint not null check (seq > 0),
  rev bigint not null,
  content text not null check (char_length(content) <= 10000),
  created_at timestamptz not null default now(),
  edited_at timestamptz,
  deleted_at timestamptz,
  unique (room_id, seq),
  unique (room_id, user_id, client_id),
  constraint chat_messages_content_present check (content <> '' or deleted_at is not null)
);
create index chat_messages_rev_idx on public.chat_messages (room_id, rev);
create index chat_messages_user_id_idx on public.chat_messages (user_id, room_id);

-- An invite's token is a secret; what is stored is its sha-256.
create table public.room_invites (
  id uuid primary key default gen_random_uuid(),
  room_id uuid not null references public.chat_rooms on delete cascade,
  token_hash bytea not null unique check (octet_length(token_hash) = 32),
  created_by uuid references public.profiles on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  max_uses integer check (max_uses > 0),
  uses integer not null default 0 check (uses >= 0),
  revoked_at timestamptz
);
create index room_invites_room_id_idx on public.room_invites (room_id);
create index room_invites_created_by_idx on public.room_invites (created_by);

-- Who is signed in where. id_hash is the sha-256 of the cookie's value: reading this table opens no session.
create table public.sessions (
  id_hash bytea primary key check (octet_length(id_hash) = 32),
  user_id uuid not null references public.profiles on delete cascade,
  access_token text not null,
  refresh_token text not null,
  access_expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index sessions_user_id_idx on public.sessions (user_id);
create index sessions_expires_at_idx on public.sessions (expires_at);
