"""Realtime as a hosted project speaks it (`supabase/realtime`): broadcast, presence and private channels."""
