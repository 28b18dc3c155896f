"""Search: what has been said in my rooms."""
