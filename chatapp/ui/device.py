"""What every page does for the device it is on: installed, it has a page for when nothing can be reached; the browser's
bars have the theme's colour; a keyboard covers nothing (assets/device.js).
"""

from __future__ import annotations

import reflex as rx


class Device(rx.Component):
    """Shows nothing."""

    library = "$/public/device.js"
    tag = "Device"
