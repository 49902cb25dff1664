"""The page in Chromium, end to end: typed text, clicks, keys, and no fault in its layout."""

from __future__ import annotations

import pytest

pytest.importorskip("uvicorn", reason="needs the extra: pip install 'rnnscope[serve]'")

from rnnscope.explorer.serving import build_app
from tests.explorer.browser import FAULTS, alike, chromium, ink, served

HOSTILE = (
    "<script>window.harmed=1</script> <img src=x onerror=window.harmed=1> \u202e\u0007 "
    "a'b\"c &amp; </textarea> ${harm} good " + "w" * 300
)


@pytest.fixture(scope="module")
def address(exhibit, other):
    with served(build_app([exhibit])) as one, served(build_app([exhibit, other])) as two:
        yield one, two


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture
def open_page(browser):
    """Opens the explorer; at the end nothing may have been said in the console."""
    opened, said = [], []

    def open_at(url, width=1400, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: opened.append(request.url))
        page.goto(url)
        return page

    yield open_at
    assert said == []
    assert all(url.startswith(("http://127.0.0.1:", "data:")) for url in opened)


def until(page, expression):
    """Waits for an expression. Playwright's own way evaluates a string in the page, which the
    page's policy forbids."""
    for _ in range(400):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"never came true: {expression}")


def type_in(page, text, words):
    page.fill("#text", text)
    until(page, f"document.querySelectorAll('.network:first-child .word').length === {words}")


def shot(page):
    page.wait_for_timeout(300)
    return ink(page.screenshot(full_page=True, mask=[page.locator("#status")]))


def test_screenshots_show_the_same_in_light_and_dark_and_after_an_edit(open_page, address):
    """What is seen in one look and not in the other, or is left over, is a fault."""
    shots = {}
    for look in ("light", "dark"):
        page = open_page(address[0], color_scheme=look)
        type_in(page, "a b good c", 4)
        shots[look] = shot(page)
    assert 0.02 < shots["light"].mean() < 0.6
    assert alike(shots["light"], shots["dark"]) > 0.99
    # One part that is not seen is enough to tell.
    page.locator(".plane").first.evaluate("(part) => { part.style.visibility = 'hidden'; }")
    assert alike(shots["light"], shot(page)) < 0.99
    page.locator(".plane").first.evaluate("(part) => { part.style.visibility = ''; }")
    type_in(page, "a b", 2)
    assert alike(shots["dark"], shot(page)) < 0.99
    type_in(page, "a b good c", 4)
    assert alike(shots["dark"], shot(page)) > 0.99


def test_a_typed_sentence_is_shown(open_page, address, exhibit):
    page = open_page(address[0])
    type_in(page, "a b good c", 4)
    assert page.locator(".stave .word").all_inner_texts() == ["a", "b", "good", "c"]
    p = float(exhibit.model.probabilities([["a", "b", "good", "c"]])[0].max())
    assert f"{100 * p:.1f}" in page.inner_text(".says")
    assert page.locator(".curve circle.dot").count() == 4
    assert page.locator(".plane .step").count() == 4
    assert page.locator(".cell[data-word='2']").count() == page.locator(".stave .name").count() - 1
    assert "4 words, computed in" in page.inner_text("#status")
    # Edited, it is shown anew without a click.
    page.press("#text", "End")
    page.type("#text", " bad")
    until(page, "document.querySelectorAll('.stave .word').length === 5")
    assert "rule" in page.inner_text(".rule-says").lower()
    assert page.locator("#rules tbody tr").count() >= 1


def test_a_word_is_removed_moved_and_replaced(open_page, address):
    page = open_page(address[0])
    type_in(page, "a b good c", 4)
    assert page.locator("#changes .three table").count() == 3
    page.click(".word[data-word='2']")
    page.wait_for_selector("#changes h3:has-text('Word 3: good')")
    assert page.get_attribute(".word[data-word='2']", "aria-pressed") == "true"
    assert page.locator(".moves circle.move").count() == 3
    page.fill("#replacement", "bad")
    page.press("#replacement", "Enter")
    row = page.locator("#changes tr:has-text('yours')")
    row.wait_for()
    row.locator("button").click()
    until(page, "document.querySelector('#text').value === 'a b bad c'")
    page.wait_for_selector("#changes .three")
    page.locator("#changes tr:has-text('remove bad') button").click()
    until(page, "document.querySelector('#text').value === 'a b c'")
    until(page, "document.querySelectorAll('.stave .word').length === 3")


def test_phrases_and_fixed_points(open_page, address):
    page = open_page(address[0])
    page.wait_for_selector(".stave")
    page.fill("#phrase", "a b")
    page.press("#phrase", "Enter")
    page.wait_for_selector("#found .examples mark")
    assert "stands" in page.inner_text("#found")
    page.click("#found .examples button >> nth=0")
    until(page, "/a b/.test(document.querySelector('#text').value)")
    page.wait_for_selector("#points .spectrum .eigen")
    first = page.inner_text("#points h3")
    page.click("#points button:has-text('next')")
    until(page, f"document.querySelector('#points h3').innerText !== {first!r}")
    assert page.locator("#points .examples tbody tr").count() >= 1
    assert page.locator(".point.chosen").count() <= 1
    page.click(".views button:has-text('whole')")
    assert page.locator(".plane .point").count() == len(page.locator("#point option").all())


def test_slower_scores_and_the_colouring(open_page, address):
    page = open_page(address[0])
    type_in(page, "a b good c", 4)
    before = page.locator(".stave .name").count()
    page.check(".more input >> nth=0")
    until(page, f"document.querySelectorAll('.stave .name').length === {before + 1}")
    page.select_option("#method", "integrated gradients")
    page.wait_for_selector(".name.main:has-text('integr')")
    page.click("summary:has-text('All numbers')")
    assert page.locator(".numbers tbody tr").count() == 5


def test_keys_alone(open_page, address):
    page = open_page(address[0])
    type_in(page, "a b good c", 4)
    page.focus(".word[data-word='0']")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.dataset.word") == "2"
    assert "good" in page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("Enter")
    page.wait_for_selector("#changes h3:has-text('Word 3: good')")
    # Everything that can be clicked has a name.
    nameless = page.evaluate(
        "[...document.querySelectorAll('button, input, select, textarea')].filter(e => "
        "!e.closest('[hidden]') && !e.innerText?.trim() && !e.getAttribute('aria-label') "
        "&& !e.labels?.length).map(e => e.outerHTML.slice(0, 80))"
    )
    assert nameless == []
    headings = page.evaluate("[...document.querySelectorAll('h1')].length")
    assert headings == 1


def test_markup_in_a_sentence_is_text(open_page, address):
    page = open_page(address[1])
    page.wait_for_selector(".stave")
    page.fill("#text", HOSTILE)
    until(page, "[...document.querySelectorAll('.word')].length > 60")
    page.click(".word[data-word='1']")
    page.wait_for_selector("#changes h3:has-text('script')")
    page.fill("#phrase", "<script>")
    page.press("#phrase", "Enter")
    page.wait_for_selector("#found p")
    assert page.evaluate("window.harmed") is None
    assert page.locator("script").count() == 1
    assert page.locator("main img").count() == 0
    assert page.evaluate(FAULTS) == []


def test_trouble_is_told(open_page, address):
    page = open_page(address[0])
    page.wait_for_selector(".stave")
    page.fill("#text", "")
    until(page, "/Type a sentence/.test(document.querySelector('#status').innerText)")
    assert page.is_hidden("#trouble")


def test_too_many_words_are_told(browser, address):
    page = browser.new_page()
    page.goto(address[0])
    page.wait_for_selector(".stave")
    page.fill("#text", "a " * 300)
    page.wait_for_selector("#trouble:visible")
    assert "1 to 200 words" in page.inner_text("#trouble")
    page.fill("#text", "a good b")
    page.wait_for_selector("#trouble", state="hidden")


@pytest.mark.parametrize(
    ("width", "scheme"), [(400, "light"), (900, "dark"), (1400, "light")], ids=str
)
def test_nothing_lies_on_anything_else(open_page, address, width, scheme):
    page = open_page(address[0], width, color_scheme=scheme)
    page.wait_for_selector(".stave")
    text = "a b good c unknownwordthatislong d " * 6 + "bad"
    type_in(page, text, 37)
    page.check(".more input >> nth=0")
    page.wait_for_selector(".name:has-text('integr')")
    assert page.evaluate(FAULTS) == []
    page.click(".word[data-word='2']")
    page.wait_for_selector("#replacement")
    page.fill("#phrase", "a")
    page.press("#phrase", "Enter")
    page.wait_for_selector("#found .examples")
    page.wait_for_selector("#points .spectrum")
    page.click("summary:has-text('All numbers')")
    assert page.evaluate(FAULTS) == []
    # What is written can be read: ink on paper, whatever the scheme.
    ink, paper = page.evaluate(
        "(s => [s.color, s.backgroundColor])(getComputedStyle(document.body))"
    )
    dark = [sum(map(int, c.strip("rgb()").split(","))) < 300 for c in (ink, paper)]
    assert dark == ([True, False] if scheme == "light" else [False, True])


def test_faults_of_the_layout_would_be_seen(open_page, address):
    page = open_page(address[0])
    type_in(page, "a b good c", 4)
    assert page.evaluate(FAULTS) == []
    for element, style, fault in (
        (".plane", "marginLeft='-300px'", "lies on"),
        ("#text", "width='2000px'", "outside"),
        (".stave .word", "fontSize='4rem'", "cut"),
        (".stave .cell", "marginTop='-30px'", "lies on"),
    ):
        page.evaluate(f"document.querySelector('{element}').style.{style}")
        assert any(fault in one for one in page.evaluate(FAULTS))
        page.evaluate(f"document.querySelector('{element}').removeAttribute('style')")


@pytest.mark.parametrize("width", [400, 1400])
def test_two_networks_side_by_side(open_page, address, width):
    page = open_page(address[1], width)
    type_in(page, "a b good c", 4)
    until(page, "document.querySelectorAll('.stave .word').length === 8")
    assert page.locator("article.network").count() == 2
    boxes = [one.bounding_box() for one in page.locator("article.network").all()]
    if width == 1400:
        assert boxes[0]["y"] == boxes[1]["y"]
    else:
        assert boxes[0]["x"] == boxes[1]["x"]
    assert "apart" in page.inner_text("#compared")
    page.click("article:nth-child(2) .word[data-word='2']")
    page.wait_for_selector("#which button:nth-of-type(2)[aria-pressed=true]")
    page.wait_for_selector("#changes h3:has-text('Word 3')")
    assert page.evaluate(FAULTS) == []


def test_the_token_is_asked_for_and_kept_out_of_the_address(browser, exhibit):
    token = "0123456789abcdef"
    with served(build_app([exhibit], token=token)) as url:
        page = browser.new_page()
        page.goto(url)
        page.wait_for_selector("#token-form:visible")
        assert page.is_hidden("#sentence")
        page.fill("#token", token)
        page.click("#token-form button")
        page.wait_for_selector(".stave")
        other = browser.new_page()
        other.goto(f"{url}#token={token}")
        other.wait_for_selector(".stave")
        assert token not in other.url


def test_the_policy_is_kept_by_the_browser(browser, address):
    page = browser.new_page()
    page.goto(address[0])
    page.wait_for_selector(".stave")
    blocked = page.evaluate(
        """async () => {
          const seen = [];
          const note = (event) => seen.push(event.effectiveDirective);
          document.addEventListener("securitypolicyviolation", note);
          const script = document.createElement("script");
          try {
            script.textContent = "window.harmed = 1";
            document.head.append(script);
          } catch { seen.push("refused"); }
          try {
            document.body.insertAdjacentHTML("beforeend", "<b>x</b>");
          } catch { seen.push("markup refused"); }
          try { await fetch("https://example.org/"); } catch { seen.push("fetch refused"); }
          await new Promise((done) => setTimeout(done, 50));
          return seen;
        }"""
    )
    assert page.evaluate("window.harmed") is None
    assert "markup refused" in blocked
    assert "fetch refused" in blocked
    assert "connect-src" in blocked
