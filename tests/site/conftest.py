"""What the tests in a browser share: Chromium, folders that are served, pages that note their faults, a lab's page."""

import contextlib
import functools
import json
import shutil
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from bookbuild.write.finish import policy
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
FLAGS += "--disable-component-update --disable-sync"
CHECKS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
LAB = """<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8" /><title>TITLE</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>
html { --pst-color-text-base: #222832; --pst-color-text-muted: #48566b; --pst-color-background: #fff; }
html { --pst-color-border: #ccc; --pst-color-primary: #176b87; }
[data-theme="dark"] { --pst-color-text-base: #ced6dd; --pst-color-text-muted: #9ca4af; }
[data-theme="dark"] { --pst-color-background: #14181e; }
body { color: var(--pst-color-text-base); background: var(--pst-color-background); font: 16px sans-serif; }
</style>
LOADED</head>
<body><main><h1>TITLE</h1><div class="PLACE container"><p>STILL</p></div></main></body></html>"""


def pytest_collection_modifyitems(items):
    """The longest tests come first: none of them runs alone at the end."""
    items.sort(key=lambda item: item.get_closest_marker("whole") is None)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


class Answering(Quiet):
    """Serves a folder, and keeps what the page posts."""

    def do_POST(self):
        self.server.answer = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        self.server.answered.set()


@contextlib.contextmanager
def served(folder, handler=Quiet):
    """A server of one folder while the block runs; `server.address` is where it is found."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=folder))
    server.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()


def posted_by_firefox(folder, profile, path=""):
    """What a page of the folder posts. Firefox is Debian's own and needs no driver."""
    with served(folder, Answering) as server:
        server.answered = threading.Event()
        command = [FIREFOX, "--headless", "--no-remote", "--profile", profile, f"{server.address}/{path}"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            assert server.answered.wait(120), "Firefox did not answer"
            return json.loads(server.answer)
        finally:
            process.kill()
            process.wait()


def write_lab(folder, title, place, still, files):
    """A page with the place of one lab, `still` in it, its scripts and style sheets, under the policy of the book."""
    loaded = ""
    for file in files:
        shutil.copy(ROOT / file, folder)
        name = Path(file).name
        script = name.endswith(".js")
        loaded += f'<script defer src="{name}"></script>' if script else f'<link rel="stylesheet" href="{name}">'
    page = LAB
    for word, text in {"LOADED": loaded, "TITLE": title, "PLACE": place, "STILL": still}.items():
        page = page.replace(word, text)
    allowed = f'<meta http-equiv="Content-Security-Policy" content="{policy(page)}">'
    folder.joinpath("index.html").write_text(page.replace("<title>", f"{allowed}<title>"), "utf8")
    return folder


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    """Open an address in a fresh profile, after `before(page)`.

    Every error in its console and every request to what is not its own ends in `page.faults`.
    """
    contexts = []

    def open_page(address, *, own=None, before=lambda page: None, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.faults = []
        page.on(
            "console",
            lambda m: page.faults.append(f"{m.text} {m.location}") if m.type in {"error", "warning"} else None,
        )
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        allowed = (own or address.rsplit("/", 1)[0], "data:")
        page.on("request", lambda r: None if r.url.startswith(allowed) else page.faults.append(r.url))
        before(page)
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
