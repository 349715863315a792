"""Looks at a notebook in a real browser, in the three ways in which people meet it, and keeps screenshots.

    browser.py CHROMIUM PROJECT NOTEBOOK OUTPUT_FOLDER [JUPYTERLAB_OPTION ...]

NOTEBOOK is a path below PROJECT. It is opened in JupyterLab and run by the menu's Run All; the saved result is then
opened in a JupyterLab that does not trust it, and as the page that nbconvert makes of it. OUTPUT_FOLDER gets the
screenshots and report.json: for each view and cell the pictures and tables seen, with what their pixels hold. If the
notebook shows a panel to draw digits in, the images in OUTPUT_FOLDER/digits.bin (28 x 28 bytes each) are painted on it.
"""

import contextlib
import io
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

import panel
from PIL import Image
from playwright.sync_api import sync_playwright

SERVER_LIMIT = 120
OPEN_LIMIT = 300
RUN_LIMIT = 1800
LOOK_AGAIN = 0.05
WINDOW = {"width": 1400, "height": 1000}

# Without the sandbox it also starts as root; the rest keeps it from asking the network for its own purposes.
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

# In JupyterLab's page: the open notebook, and whether the kernel has answered all its cells.
NOTEBOOK_JS = "window.jupyterapp.shell.currentWidget.content"
CELLS_JS = f"{NOTEBOOK_JS}.widgets.map(cell => ({{id: cell.model.id, type: cell.model.type}}))"
READY_JS = """() => {
    const panel = window.jupyterapp?.shell.currentWidget;
    const kernel = panel?.sessionContext?.session?.kernel;
    return Boolean(panel?.content?.widgets?.length) && kernel?.status === 'idle';
}"""
DONE_JS = f"""() => {NOTEBOOK_JS}.widgets.every(
    cell => cell.model.type !== 'code' || (cell.model.executionCount && cell.model.executionState === 'idle'))"""
FAILED_JS = f"""() => {NOTEBOOK_JS}.widgets.filter(cell => cell.model.type === 'code')
    .filter(cell => !(cell.model.getMetadata('tags') || []).includes('raises-exception'))
    .filter(cell => cell.model.outputs.toJSON().some(output => output.output_type === 'error' || output.name === 'stderr'))
    .map(cell => cell.model.id)"""
SHOW_JS = f"""async index => {{
    const notebook = {NOTEBOOK_JS};
    await notebook.scrollToItem(index, 'start');
    notebook.widgets[index].node.dataset.looked = index;
}}"""
LOADED_JS = "element => element.tagName !== 'IMG' || (element.complete && element.naturalWidth > 0)"
# The output area's text, which the page shows as the lines come.
PRINTED_JS = f"""id => {NOTEBOOK_JS}.widgets.find(cell => cell.model.id === id)?.outputArea.node.innerText || ''"""


@contextlib.contextmanager
def jupyterlab(root, options):
    """A JupyterLab with settings and trust of its own; gives its address and token."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex()
    with tempfile.TemporaryDirectory() as own, open(Path(own) / "log", "w+") as log:
        folders = {f"JUPYTER_{name}_DIR": f"{own}/{name}" for name in ("CONFIG", "DATA", "RUNTIME")}
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--expose-app-in-browser"]
        command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"]
        command += [f"--ServerApp.root_dir={root}", *options]
        server = subprocess.Popen(command, env={**os.environ, **folders}, stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{port}"
            limit = time.monotonic() + SERVER_LIMIT
            while not answers(f"{address}/api?token={token}"):
                if server.poll() is not None or time.monotonic() > limit:
                    log.seek(0)
                    sys.exit(f"JupyterLab did not start:\n{log.read()}")
                time.sleep(LOOK_AGAIN)
            yield address, token
        finally:
            server.terminate()
            server.wait()


def answers(address):
    try:
        with urlopen(address) as reply:
            return reply.status == 200
    except OSError:
        return False


def open_notebook(page, server, path):
    address, token = server
    page.goto(f"{address}/lab/tree/{path}?reset&token={token}")
    page.wait_for_function(READY_JS, timeout=OPEN_LIMIT * 1000)


def run_all(page, printing_cell):
    """Runs all cells by the menu; gives how many lines a cell had printed, each time that changed."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    counts = [0]
    limit = time.monotonic() + RUN_LIMIT
    while not page.evaluate(DONE_JS):
        if time.monotonic() > limit or page.evaluate(FAILED_JS):
            break
        lines = len(page.evaluate(PRINTED_JS, printing_cell).splitlines())
        if lines != counts[-1]:
            counts.append(lines)
        time.sleep(LOOK_AGAIN)
    return counts


def save(page):
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")


def look_at(picture, file):
    """Keeps a screenshot of an element; tells its size and what its pixels hold."""
    pixels = picture.screenshot(path=file)
    image = Image.open(io.BytesIO(pixels)).convert("RGB")
    counted = image.getcolors(maxcolors=image.width * image.height)
    total = image.width * image.height
    hues = {"blue": 0, "orange": 0, "dark": 0, "light": 0}
    for count, (red, green, blue) in counted:
        if blue > red + 60 and blue > green + 20:
            hues["blue"] += count
        elif red > blue + 100 and red > green + 40:
            hues["orange"] += count
        elif max(red, green, blue) < 100:
            hues["dark"] += count
        elif min(red, green, blue) > 200:
            hues["light"] += count
    shares = {hue: count / total for hue, count in hues.items()}
    return {"width": image.width, "height": image.height, "colours": len(counted), **shares}


def look_at_outputs(scope, name, folder):
    """What a cell's outputs show: each picture and each table that is painted."""
    seen = []
    for kind, selector in [("img", "img"), ("table", "table")]:
        found = scope.locator(f".jp-OutputArea-output {selector}")
        for index in range(found.count()):
            element = found.nth(index)
            if not element.is_visible():
                continue  # the picture that a panel stands in for
            element.scroll_into_view_if_needed()
            if not element.evaluate(LOADED_JS):
                continue
            seen.append({"kind": kind, **look_at(element, folder / f"{name}-{kind}{index}.png")})
    return seen


def look_at_lab(page, view, folder):
    """Goes through the open notebook cell by cell."""
    seen = {}
    for index, cell in enumerate(page.evaluate(CELLS_JS)):
        page.evaluate(SHOW_JS, index)
        page.wait_for_timeout(100)
        page.screenshot(path=folder / f"{view}-{index:02}-{cell['id']}.png")
        if cell["type"] == "code":
            scope = page.locator(f"[data-looked='{index}']")
            seen[cell["id"]] = look_at_outputs(scope, f"{view}-{cell['id']}", folder)
    return seen


def look_at_page(page, notebook, folder):
    """Looks at the page that nbconvert makes."""
    target = folder / "page.html"
    convert = [sys.executable, "-m", "nbconvert", "--to", "html", "--output", str(target.resolve()), str(notebook)]
    subprocess.run(convert, check=True, capture_output=True)
    page.goto(target.resolve().as_uri())
    page.screenshot(path=folder / "page.png", full_page=True)
    cells = [cell["id"] for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]
    return {cell: look_at_outputs(page.locator(f"[id='cell-id={cell}']"), f"page-{cell}", folder) for cell in cells}


def use_panel(page, view, folder):
    """What the panel to draw in does, or None where there is none."""
    digits = folder / "digits.bin"
    if not digits.exists():
        return None
    look = lambda element: look_at(element, folder / f"{view}-panel.png")
    return panel.use(page, digits.read_bytes(), look, folder / f"{view}-stages.bin")


def main():
    chromium, project, path, folder, *options = sys.argv[1:]
    folder = Path(folder)
    report = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
        page = browser.new_page(viewport=WINDOW)

        with jupyterlab(project, options) as server:
            open_notebook(page, server, path)
            report["printed_lines"] = run_all(page, "fit")
            report["failed"] = page.evaluate(FAILED_JS)
            report["done"] = page.evaluate(DONE_JS)
            report["asked"] = page.get_by_text("Would you like").count() > 0
            report["lab"] = look_at_lab(page, "lab", folder)
            report["panels"] = {"lab": use_panel(page, "lab", folder)}
            save(page)

        # Another place and another server, which has not seen the notebook being run.
        with tempfile.TemporaryDirectory() as elsewhere:
            copy = shutil.copy(Path(project) / path, elsewhere)
            with jupyterlab(elsewhere, options) as server:
                open_notebook(page, server, Path(copy).name)
                report["trusted"] = page.evaluate(f"{NOTEBOOK_JS}.widgets.every(cell => cell.model.trusted)")
                report["untrusted"] = look_at_lab(page, "untrusted", folder)
            report["page"] = look_at_page(page, Path(copy), folder)
            report["panels"]["page"] = use_panel(page, "page", folder)
            if html := panel.shown_by(copy):
                report["panels"]["two"] = panel.use_two(browser, html, folder, look_at)
                report["panels"]["finger"] = panel.by_finger(browser, html, folder)

        browser.close()
    (folder / "report.json").write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
