"""Uses the panel to draw digits in, as `model.draw()` shows it, in a real browser."""

import base64
import json
from pathlib import Path

PANEL = ".lenet-draw"
START_LIMIT = 5000
# The corners of a 7, as shares of the canvas.
SEVEN = [(0.3, 0.2), (0.5, 0.2), (0.72, 0.2), (0.58, 0.5), (0.45, 0.82)]

# Each image given as bytes goes through the page's network as it is.
FORWARD_JS = """(host, bytes) => {
    const raw = Uint8Array.from(atob(bytes), letter => letter.charCodeAt(0));
    return Array.from({ length: raw.length / 784 }, (_, image) =>
        host.lenet.forward(Array.from(raw.subarray(784 * image, 784 * (image + 1)), byte => byte / 255)));
}"""
# What the stages of the page's network make of each image, as little-endian f32 in base64.
TRACE_JS = """(host, bytes) => {
    const raw = Uint8Array.from(atob(bytes), letter => letter.charCodeAt(0));
    const traced = Array.from({ length: raw.length / 784 }, (_, image) =>
        host.lenet.stages(Array.from(raw.subarray(784 * image, 784 * (image + 1)), byte => byte / 255)).flatMap(values => [...values]));
    const made = new Uint8Array(Float32Array.from(traced.flat()).buffer);
    let text = "";
    for (let at = 0; at < made.length; at += 8192) {
        text += String.fromCharCode(...made.subarray(at, at + 8192));
    }
    return btoa(text);
}"""
# A stroke through these shares of the canvas in small steps, after each of which the page shows what it makes of it.
STROKE_JS = """(host, corners) => {
    const { canvas, update, clear } = host.lenet;
    const box = canvas.getBoundingClientRect();
    const send = (type, [x, y]) => canvas.dispatchEvent(new PointerEvent(type, { isPrimary: true, button: 0, pointerId: 1,
        clientX: box.left + x * box.width, clientY: box.top + y * box.height }));
    canvas.setPointerCapture = () => {};
    const times = [];
    corners.forEach((corner, index) => {
        const from = corners[Math.max(index - 1, 0)];
        for (let step = 1; step <= 10; step++) {
            const began = performance.now();
            send(index + step > 1 ? "pointermove" : "pointerdown", corner.map((to, axis) => from[axis] + (to - from[axis]) * step / 10));
            update();
            times.push(performance.now() - began);
        }
    });
    send("pointerup", corners.at(-1));
    delete canvas.setPointerCapture;
    clear();
    return times;
}"""
# What the lens shows, and whether that is what the network makes of the spot pointed at.
LENS_JS = """host => host.shadowRoot.querySelector('.spot').textContent"""
# Elements that reach beyond the panel's right edge.
OVERFLOW_JS = """host => [...host.shadowRoot.querySelectorAll('*')]
    .filter(element => element.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
    .map(element => element.className || element.tagName)"""
# Each image is painted over the whole canvas, and the page reads it as it reads a drawing: preprocessing, network, bars.
PAINT_JS = """(host, [bytes, smooth]) => {
    const raw = Uint8Array.from(atob(bytes), letter => letter.charCodeAt(0));
    const { canvas, read, update, clear } = host.lenet;
    const pen = canvas.getContext("2d");
    const small = new OffscreenCanvas(28, 28);
    const image = new ImageData(28, 28);
    const seen = Array.from({ length: raw.length / 784 }, (_, index) => {
        for (let pixel = 0; pixel < 784; pixel++) {
            const grey = raw[784 * index + pixel];
            image.data.set([grey, grey, grey, 255], 4 * pixel);
        }
        small.getContext("2d").putImageData(image, 0, 0);
        clear();
        pen.imageSmoothingEnabled = smooth;
        pen.drawImage(small, 0, 0, canvas.width, canvas.height);
        const began = performance.now();
        update();
        const milliseconds = performance.now() - began;
        return { probabilities: read().probabilities, milliseconds };
    });
    clear();
    return seen;
}"""
# From each movement of the mouse to the change of the bars, in milliseconds, frames included.
WATCH_JS = """host => {
    host.delays = [];
    let moved = null;
    host.lenet.canvas.addEventListener("pointermove", () => { moved ??= performance.now(); });
    new MutationObserver(() => {
        if (moved !== null) {
            host.delays.push(performance.now() - moved);
            moved = null;
        }
    }).observe(host.shadowRoot.querySelector(".bars"), { attributes: true, subtree: true });
}"""
ANSWER_JS = "host => host.shadowRoot.querySelector('.answer strong').textContent"
# What the panel holds, so that one panel's drawing can be seen not to reach another.
INK_JS = "host => host.lenet.canvas.getContext('2d').getImageData(0, 0, 560, 560).data.filter((v, i) => i % 4 === 0 && v > 0).length"


def stroke(page, panel, points):
    """Draws with the mouse through places that are given as shares of the canvas."""
    canvas = panel.locator(".paper")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
        page.wait_for_timeout(20)
    page.mouse.up()
    page.wait_for_timeout(200)


def draw_seven(page, panel):
    stroke(page, panel, SEVEN)


def by_keyboard(page, panel):
    """Draws a vertical line by keys, and clears it by a key; gives the answers before, between and after."""
    canvas = panel.locator(".paper")
    answers = [panel.evaluate(ANSWER_JS)]
    canvas.focus()
    page.keyboard.press("Space")
    for _ in range(20):
        page.keyboard.press("ArrowDown")
    page.wait_for_timeout(200)
    answers.append(panel.evaluate(ANSWER_JS))
    page.keyboard.press("Delete")
    answers.append(panel.evaluate(ANSWER_JS))
    return answers


def inside(page, panel):
    """What the lens says with a drawn 7: of a value in each row, pointed at with the mouse and then by a key, and of an input
    map that is chosen; the answers of the network before training and after."""
    rows = panel.locator(".maps")
    panel.get_by_role("button", name="Show a 7").click()
    page.wait_for_timeout(200)
    seen = {"mouse": [], "keys": [], "chosen": []}
    for index in range(rows.count()):
        row = rows.nth(index)
        row.hover(position={"x": 12, "y": 8})
        page.wait_for_timeout(50)
        seen["mouse"].append(panel.evaluate(LENS_JS))
        row.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(50)
        seen["keys"].append(panel.evaluate(LENS_JS))
        for choice in panel.locator("[data-input]").all()[1:2]:
            choice.press("Enter")
            seen["chosen"].append(panel.evaluate("host => host.shadowRoot.querySelector('figcaption').textContent"))
    fresh = panel.get_by_label("untrained network")
    fresh.check()
    untrained = panel.evaluate("host => host.lenet.read().probabilities")
    fresh.uncheck()
    seen["largest"] = [max(untrained), max(panel.evaluate("host => host.lenet.read().probabilities"))]
    panel.get_by_role("button", name="Clear").click()
    return seen


def use(page, digits, look, traced):
    """Draws on the page's first panel; tells what it answers, how fast, and by `look` what its pixels hold. What the stages
    make of each of the `digits` goes to the file `traced`."""
    panel = page.locator(PANEL).first
    panel.locator(".paper").wait_for(timeout=START_LIMIT)
    panel.scroll_into_view_if_needed()
    images = base64.b64encode(digits).decode()
    seen = {"forward": panel.evaluate(FORWARD_JS, images)}
    traced.write_bytes(base64.b64decode(panel.evaluate(TRACE_JS, images)))
    seen["steps"] = panel.evaluate(STROKE_JS, SEVEN)
    seen["inside"] = inside(page, panel)
    for way, smooth in [("smooth", True), ("hard", False)]:
        seen[way] = panel.evaluate(PAINT_JS, [images, smooth])
    seen["keyboard"] = by_keyboard(page, panel)
    panel.evaluate(WATCH_JS)
    draw_seven(page, panel)
    seen["stroke"] = {"answer": panel.evaluate(ANSWER_JS), "milliseconds": panel.evaluate("host => host.delays")}
    seen["picture"] = look(panel)
    panel.get_by_role("button", name="Clear").click()
    seen["cleared"] = panel.evaluate(ANSWER_JS)
    return seen


def use_two(browser, html, folder, look):
    """Puts two panels on one page that may not load anything, in each theme; draws on the second."""
    seen = {}
    for theme, style in [("light", "background:white;color:black"), ("dark", "background:#111;color:#ddd")]:
        page = browser.new_page(viewport={"width": 900, "height": 800}, device_scale_factor=2)
        requests = []
        page.on("request", lambda request: requests.append(request.url))
        page.set_content(f"<!doctype html><body style='{style}'>{html}{html}</body>")
        first, second = page.locator(PANEL).nth(0), page.locator(PANEL).nth(1)
        draw_seven(page, second)
        seen[theme] = {
            "ink": [first.evaluate(INK_JS), second.evaluate(INK_JS)],
            "answers": [first.evaluate(ANSWER_JS), second.evaluate(ANSWER_JS)],
            "requests": [url for url in requests if not url.startswith("data:")],
            "picture": look(second, folder / f"panel-{theme}.png"),
        }
        page.close()
    return seen


def by_finger(browser, html, folder):
    """The answer to a 7 drawn with a finger, on a screen as small as a telephone's, what the lens says of a value that is
    touched, and what overflows."""
    context = browser.new_context(has_touch=True, viewport={"width": 390, "height": 800}, device_scale_factor=2)
    page = context.new_page()
    page.set_content(f"<!doctype html><meta name=viewport content='width=device-width'><body>{html}</body>")
    session = context.new_cdp_session(page)
    box = page.locator(".paper").bounding_box()
    for index, (x, y) in enumerate(SEVEN):
        touch = {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
        kind = "touchMove" if index else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [touch]})
        page.wait_for_timeout(30)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(200)
    panel = page.locator(PANEL)
    seen = {"answer": panel.evaluate(ANSWER_JS)}
    panel.locator(".maps").nth(2).tap(position={"x": 30, "y": 20})
    page.wait_for_timeout(100)
    seen["lens"], seen["overflow"] = panel.evaluate(LENS_JS), panel.evaluate(OVERFLOW_JS)
    page.screenshot(path=folder / "panel-phone.png", full_page=True)
    context.close()
    return seen


def shown_by(notebook):
    """The HTML of the panel that a notebook's cell shows, or None."""
    for cell in json.loads(Path(notebook).read_text())["cells"]:
        for output in cell.get("outputs", []):
            html = "".join(output.get("data", {}).get("text/html", ""))
            if 'class="lenet-draw"' in html:
                return html
    return None
