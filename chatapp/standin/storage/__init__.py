"""Storage as a hosted project speaks it (`supabase/storage`): files in buckets, under row-level security."""
