"""How far people have read: markers that move as messages are seen, and who has seen what."""
