"""Who is there: online, away or offline, and since when."""
