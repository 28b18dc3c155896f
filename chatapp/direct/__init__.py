"""Direct messages: whom to write to, and the one room of those people."""
