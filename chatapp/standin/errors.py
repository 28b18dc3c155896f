"""What a person is told when the stand-in cannot do its work."""


class StandinError(Exception):
    """One clear sentence about what is wrong, and the cure; fit to be shown as it is."""
