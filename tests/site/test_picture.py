"""The picture lab in a browser: scales, pictures of the reader's own, what is refused, and the numbers behind it.

The page is made here from its sources and served under the policy of the book, so no built book is needed.
"""

import re

import numpy as np
import PIL.Image
import pytest
from axe_playwright_python.sync_playwright import Axe
from bookbuild.read.interactive import files
from conftest import CHECKS, CHROMIUM, served, write_lab
from matplotlib.cbook import get_sample_data

if not CHROMIUM:
    pytest.skip("no Chromium on this machine: the picture lab is not tested", allow_module_level=True)

SIDE = 32


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_lab(tmp_path_factory.mktemp("picture"), "Picture", "picture-lab", "Scripts.", files("picture-lab"))


@pytest.fixture
def open_lab(open_page, address):
    """Open the page, and wait until its lab is there: it comes when its place is near, which is after the load."""

    def open_lab():
        page = open_page(address)
        page.wait_for_function("() => window.fpPicture")
        return page

    return open_lab


@pytest.fixture(scope="module")
def address(folder):
    with served(folder) as server:
        yield f"{server.address}/index.html"


def said(page):
    return page.locator(".picture-live [aria-live]").inner_text().replace("\u00a0", " ")


def trained(page, scale):
    """Train with this scale; PSNR at the training pixels and at the held-out ones."""
    page.get_by_label("scale", exact=False).first.fill(str(scale))
    page.get_by_label("scale", exact=False).first.press("Tab")
    page.get_by_role("button", name="Train").click()
    page.wait_for_function(
        "() => document.querySelector('.picture-live [aria-live]').innerText.startsWith('With')", timeout=240_000
    )
    given, held_out = re.search(r": (\d+) dB at the training pixels, (\d+) dB at the held-out", said(page)).groups()
    return int(given), int(held_out)


def test_a_scale_that_is_too_large_fits_what_was_given_and_spoils_the_rest(open_page, address):
    page = open_page(address, viewport={"width": 390, "height": 844})
    (given, held_out), (more, less) = trained(page, 3), trained(page, 10)
    assert more > given + 5 and less < held_out - 4  # as the section claims of these scales
    assert "Best so far at the held-out pixels: \u03c3 = 3" in said(page)
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    slider = page.get_by_label("step", exact=True)
    slider.press("Home")
    assert "step 0" in slider.get_attribute("aria-valuetext")
    page.get_by_role("button", name="Chessboard").click()  # the run is over, and nothing of it can be moved through
    assert not slider.is_visible() and "Best so far" not in said(page) and page.faults == []


def test_it_trains_from_disk_and_stops(open_page, folder):
    page = open_page((folder / "index.html").as_uri())
    page.get_by_role("button", name="Train").dblclick()  # is one click
    page.wait_for_timeout(500)
    page.get_by_role("button", name="Stop").click()
    assert re.search(r"Stopped at step \d+", said(page)) and page.faults == []


def test_a_photo_is_taken_over_and_what_is_none_is_refused(open_lab, tmp_path):
    page = open_lab()
    photo, other = tmp_path / "photo.png", tmp_path / "words.png"
    PIL.Image.fromarray(np.repeat(np.linspace(0, 255, 64, dtype=np.uint8)[None], 48, 0)).save(photo)
    other.write_text("no picture")
    page.get_by_label("Your photo").last.set_input_files(photo)
    page.wait_for_function("() => fpPicture.picture.length === 1024 && fpPicture.picture[0] < 0.2")
    taken = np.array(page.evaluate("() => fpPicture.picture")).reshape(SIDE, SIDE)
    assert (np.diff(taken, axis=1) > 0).all() and np.ptp(taken, axis=0).max() < 0.02  # its middle square
    page.get_by_label("Your photo").last.set_input_files(other)
    page.wait_for_function("() => /nothing was changed/.test(document.querySelector('.picture-live').innerText)")
    assert page.evaluate("() => fpPicture.picture[0] < 0.2") and page.faults == []


def test_a_picture_is_drawn(open_lab):
    page = open_lab()
    page.get_by_role("button", name="Draw one").click()
    canvas = page.locator(".picture-draw canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.1 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.9 * box["height"], steps=30)
    page.mouse.up()
    drawn = np.array(page.evaluate("() => fpPicture.picture")).reshape(SIDE, SIDE)
    assert (drawn[8:24, 15:17] == 0).all() and (drawn[:, :8] == 1).all() and page.faults == []


def test_the_portrait_is_that_of_the_section(open_lab):
    with get_sample_data("grace_hopper.jpg") as file:
        grey = np.asarray(PIL.Image.open(file)).astype(float) @ [0.299, 0.587, 0.114] / 255
    means = grey[40:360, 110:430].reshape(SIDE, 10, SIDE, 10).mean(axis=(1, 3))
    shown = np.array(open_lab().evaluate("() => fpPicture.picture")).reshape(SIDE, SIDE)
    np.testing.assert_allclose(shown, means, atol=0.6 / 255)


def test_rings_are_those_of_the_section(open_lab):
    page = open_lab()
    picture = np.array(page.evaluate("() => fpPicture.picture")).reshape(SIDE, SIDE)
    found = page.evaluate("() => Array.from(fpPicture.target)")
    fade, k = np.hanning(SIDE + 2)[1:-1], np.fft.fftfreq(SIDE, 1 / SIDE)
    window, ring = np.outer(fade, fade), np.rint(np.hypot(k[:, None], k))
    modulus = abs(np.fft.fft2((picture - (picture * window).sum() / window.sum()) * window))
    expected = [modulus[ring == r].mean() / SIDE**2 for r in range(1, 17)]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


BATCHES = """() => {
  const net = {widths: [1, 8, 1], activation: "tanh", seed: 2};
  const x = Float64Array.from({length: 12}, (_, i) => i / 6 - 1);
  const data = {x, y: x.map(Math.sin)}, rate = {name: "adam", lr: 0.01, steps: 30};
  const whole = new fpTrainer.Training(net, rate, data);
  const one = new fpTrainer.BatchTraining(net, {...rate, batch: 12}, data), losses = [];
  for (let t = 0; t < 30; t++) {
    whole.optimizer = {...rate, lr: 0.005 * (1 + Math.cos(Math.PI * t / 30))};
    losses.push([whole.step(), one.step()]);
    whole.update();
    one.update();
  }
  const few = new fpTrainer.BatchTraining(net, {...rate, batch: 4}, data), passes = [[], []];
  for (const pass of passes) for (let i = 0; i < 3; i++) { few.step(); pass.push(...few.x); }
  return {losses, passes, x: [...x]};
}"""


def test_mini_batches_take_each_point_once_a_pass_and_the_rate_falls_along_a_cosine(open_page, address):
    found = open_page(address).evaluate(BATCHES)
    whole, batches = np.array(found["losses"]).T
    np.testing.assert_allclose(batches, whole, rtol=1e-9)
    assert whole[-1] < 0.5 * whole[0]
    first, second = found["passes"]
    assert sorted(first) == sorted(second) == found["x"] and first != second


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_picture_lab_is_accessible(open_page, address, theme):
    page = open_page(address, viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    trained(page, 2)
    found = Axe().run(page, options=CHECKS).response["violations"]
    assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == []
    small = page.locator(".picture-live :is(button, input[type=range])").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect()).filter((box) => box.width && box.height < 24).length"
    )
    assert small == 0 and page.faults == []


def test_without_scripts_the_words_stay(open_page, address):
    page = open_page(address, java_script_enabled=False)
    assert page.get_by_text("Scripts.").is_visible() and page.locator("button").count() == 0
