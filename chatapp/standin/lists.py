"""How Supabase's services write lists into an address: joined by commas, quoted and in parentheses where need be."""

from __future__ import annotations


def split(text: str, at: str, brackets: str = "()") -> list[str]:
    """Split where `at` stands outside of quotes and `brackets`."""
    parts, depth, quoted, escaped = [""], 0, False, False
    for before, char in zip(" " + text, text, strict=False):
        if escaped or (quoted and char == "\\"):
            escaped = not escaped
        elif char == '"' and (quoted or before in " .(,"):
            quoted = not quoted
        elif not quoted:
            depth = max(0, depth + (char in brackets[::2]) - (char in brackets[1::2]))
        if char == at and not quoted and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def unquoted(value: str) -> str:
    """Return what stands between quotes, and anything else as it is."""
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    return value[1:-1].replace('\\"', '"').replace("\\\\", "\\")


def array_of(values: list[str]) -> str:
    """Return an array's text, every value quoted."""
    quoted = (each.replace("\\", "\\\\").replace('"', '\\"') for each in values)
    return "{" + ",".join(f'"{each}"' for each in quoted) + "}"
