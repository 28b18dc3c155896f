"""Rooms, who is in them, and the invites that lead there."""
