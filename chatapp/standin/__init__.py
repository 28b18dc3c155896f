"""A local Supabase in one process: Postgres, Auth, REST, Realtime and Storage on 127.0.0.1, for the
unmodified Supabase clients.

It stands in for a project when none is configured. It imports nothing of the application around it, so it can
be lifted out. `lifecycle.ensure` starts or joins one; `python -m chatapp.standin` does the same from a shell.
This file stays empty of imports because the leash, a process that must start at once, passes through it.
"""
