"""Emoji at messages."""
