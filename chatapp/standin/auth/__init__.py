"""Auth as a hosted project speaks it (`supabase/auth`, formerly GoTrue): the part that passwords and sessions
need.
"""
