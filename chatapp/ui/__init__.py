"""The looks: tokens and styles (assets/styles), and the kit that pages are put together from. Knows no chat."""
