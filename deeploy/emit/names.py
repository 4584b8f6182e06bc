"""C identifiers."""

from __future__ import annotations

import re

KEYWORDS = frozenset(
    [
        "auto",
        "break",
        "case",
        "char",
        "const",
        "continue",
        "default",
        "do",
        "double",
        "else",
        "enum",
        "extern",
        "float",
        "for",
        "goto",
        "if",
        "inline",
        "int",
        "long",
        "register",
        "restrict",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "struct",
        "switch",
        "typedef",
        "union",
        "unsigned",
        "void",
        "volatile",
        "while",
        "core",
        "main",
    ]
)


def identifier(text: str) -> str:
    """`text` as a C identifier."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII).strip("_") or "v"
    return f"v_{name}" if name[0].isdigit() or name in KEYWORDS else name


def comment(text: str) -> str:
    """`text` inside a line comment."""
    return re.sub(r"[^\x20-\x7e]", "?", text).rstrip("\\")


class Names:
    """Hands out identifiers that are not taken yet."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def fresh(self, hint: str) -> str:
        """A new identifier like `hint`."""
        base = name = identifier(hint)
        suffix = 1
        while name in self.taken:
            name = f"{base}_{suffix}"
            suffix += 1
        self.taken.add(name)
        return name
