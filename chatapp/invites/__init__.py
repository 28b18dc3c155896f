"""Ways into a room for people who aren't in it: links, and invitations by e-mail."""
