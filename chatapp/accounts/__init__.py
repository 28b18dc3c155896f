"""People: profiles, and the sessions by which they are signed in."""
