"""Opens the pages of a folder in a real browser, on three screens, and draws a 7 where there is a panel.

    pages.py CHROMIUM FOLDER

FOLDER gets screenshots and report.json: for each screen and page what was requested, how wide it is, and the answer.
"""

import json
import sys
from pathlib import Path

import panel
from browser import CHROMIUM_OPTIONS
from playwright.sync_api import sync_playwright

SCREENS = [("light", 1280), ("dark", 1280), ("light", 390)]


def look(context, file, screen):
    page = context.new_page()
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(file.as_uri())
    seen = {
        "page": file.name,
        "width": page.evaluate("document.documentElement.scrollWidth"),
        "screen": page.evaluate("document.documentElement.clientWidth"),
        "links": page.locator("nav a").count(),
        "answer": None,
    }
    page.screenshot(path=file.with_name(f"{file.stem}-{screen}.png"))
    if page.locator(panel.PANEL).count():
        drawn = page.locator(panel.PANEL).first
        panel.draw_seven(page, drawn)
        seen["answer"] = drawn.evaluate(panel.ANSWER_JS)
        drawn.screenshot(path=file.with_name(f"{file.stem}-{screen}-panel.png"))
    seen["requests"] = [url for url in requests if not url.startswith(("data:", "file:"))]
    page.close()
    return seen


def main():
    chromium, folder = sys.argv[1], Path(sys.argv[2]).resolve()
    report = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
        for scheme, width in SCREENS:
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
            report += [look(context, file, f"{scheme}-{width}") for file in sorted(folder.glob("*.html"))]
            context.close()
        browser.close()
    (folder / "report.json").write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
