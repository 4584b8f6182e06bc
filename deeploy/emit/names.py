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


RESERVED = re.compile(r"(dpl|network)_.*|i\d+|u?int\d+_t|null|memcpy", re.IGNORECASE)
"""Names that generated code uses itself."""


def identifier(text: str) -> str:
    """`text` as a C identifier."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII).strip("_") or "v"
    taken = name in KEYWORDS or RESERVED.fullmatch(name)
    return f"v_{name}" if name[0].isdigit() or taken else name


def comment(text: str) -> str:
    """`text` inside a line comment, which a backslash (or its trigraph) would continue."""
    return re.sub(r"(\\|\?\?/|\s)+$", "", re.sub(r"[^\x20-\x7e]", "_", text))


def string(text: str) -> str:
    """`text` as a C string literal."""
    escaped = re.sub(r'["\\?]', r"\\\g<0>", text).encode()
    return '"' + "".join(chr(b) if 32 <= b < 127 else f"\\{b:03o}" for b in escaped) + '"'


class Names:
    """Hands out identifiers that are not taken yet."""

    def __init__(self, *taken: str) -> None:
        self.taken = set(taken)

    def fresh(self, hint: str) -> str:
        """A new identifier like `hint`."""
        base = name = identifier(hint)
        suffix = 1
        while name in self.taken:
            name = f"{base}_{suffix}"
            suffix += 1
        self.taken.add(name)
        return name
