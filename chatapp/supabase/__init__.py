"""The Supabase services this product talks to over HTTP, each behind a few typed functions."""
