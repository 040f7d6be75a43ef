"""The Content-Security-Policy of a page: everything comes from the site itself.

Scripts inside the page are known by their hash.
"""

import base64
import hashlib
import re

POLICY = (
    "default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'self'"
)
SCRIPT = re.compile(r"<script(?P<attributes>[^>]*)>(?P<body>.*?)</script>", re.DOTALL)
CHARSET = '<meta charset="utf-8" />'


def policy(page):
    hashes = set()
    for script in SCRIPT.finditer(page):
        if "src=" not in script["attributes"] and "application/json" not in script["attributes"]:
            digest = base64.b64encode(hashlib.sha256(script["body"].encode()).digest()).decode()
            hashes.add(f"'sha256-{digest}'")
    return POLICY.format(hashes=" ".join(sorted(hashes)))


def add_policy(page):
    """The page with its policy as the first thing in its head."""
    if page.count(CHARSET) != 1:
        raise ValueError("a page without its character set, where its policy would stand")
    return page.replace(CHARSET, f'{CHARSET}<meta http-equiv="Content-Security-Policy" content="{policy(page)}">')
