"""Replies beside the conversation: what a thread's panel shows, and how far each follower has read it."""
