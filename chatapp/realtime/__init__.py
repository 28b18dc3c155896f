"""The live path of one backend process: hints come in through the feed, changes go out through the hub."""
