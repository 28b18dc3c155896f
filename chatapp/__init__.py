"""A team chat in pure Python: Reflex in front, Supabase behind, one slice per concern in between."""
