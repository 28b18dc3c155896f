"""Who is typing a message right now. Told, never stored."""
