// The panel: a canvas to draw on, what the network sees of it, and a bar for each class.

/** Width of the pen and a keyboard's step, as shares of the canvas. */
const PEN = 0.075;
const STEP = 0.025;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Turns a place holder into a panel. Everything is found below `host`: there may be many on a page. */
function start(host) {
  const part = name => host.querySelector(`script.${name}`).textContent;
  const written = JSON.parse(part("network"));
  const network = readNetwork(written);
  const root = host.attachShadow({ mode: "open" });
  root.innerHTML = part("panel");
  const [paper, mark, seen, answer, clearButton, bars] = [".paper", ".pen", ".seen", ".answer", "button", ".bars"]
    .map(name => root.querySelector(name));
  const show = bindBars(bars, answer, written.names);
  // Without an alpha channel, whatever is drawn lies on black, as MNIST's digits do.
  const pen = paper.getContext("2d", { alpha: false, willReadFrequently: true });
  Object.assign(pen, { lineWidth: PEN * paper.width, lineCap: "round", lineJoin: "round", strokeStyle: "white" });

  /** Reads the canvas: the pixels that the network sees and the probabilities; null where nothing is drawn. */
  function read() {
    const pixels = likeMnist(inkOf(pen), paper.width);
    return pixels && { pixels, probabilities: forward(network, pixels) };
  }

  function update() {
    const reading = read();
    paint(seen, reading?.pixels ?? new Float32Array(SIDE * SIDE));
    show(reading?.probabilities);
  }

  function clear() {
    pen.clearRect(0, 0, paper.width, paper.height);
    update();
  }

  const updateSoon = oncePerFrame(update);
  const draw = (from, to) => {
    pen.beginPath();
    pen.moveTo(...from);
    pen.lineTo(...to);
    pen.stroke();
    updateSoon();
  };
  bindPointer(paper, draw);
  bindKeyboard(paper, mark, draw, clear);
  clearButton.addEventListener("click", clear);
  // JupyterLab has shortcuts for single keys, which are meant for cells.
  host.setAttribute("data-lm-suppress-shortcuts", "true");
  clear();
  // For tests, and for whoever wants to look inside in the browser's console.
  host.lenet = { canvas: paper, forward: pixels => forward(network, pixels), read, update, clear };
}

/** Grey levels from 0 to 1 of what is drawn. */
function inkOf(pen) {
  const { width, height } = pen.canvas;
  const { data } = pen.getImageData(0, 0, width, height);
  const ink = new Float32Array(width * height);
  for (let index = 0; index < ink.length; index++) {
    ink[index] = data[4 * index] / 255;
  }
  return ink;
}

/** Paints grey levels, a canvas pixel for each. */
function paint(canvas, pixels) {
  const image = new ImageData(canvas.width, canvas.height);
  pixels.forEach((level, index) => image.data.set([255 * level, 255 * level, 255 * level, 255], 4 * index));
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Lines that follow the mouse, the pen or one finger. */
function bindPointer(paper, draw) {
  let last = null;
  const place = event => {
    const bounds = paper.getBoundingClientRect();
    const scale = paper.width / bounds.width;
    return [(event.clientX - bounds.left) * scale, (event.clientY - bounds.top) * scale];
  };
  paper.addEventListener("pointerdown", event => {
    if (event.isPrimary && event.button === 0) {
      paper.setPointerCapture(event.pointerId);
      last = place(event);
      draw(last, last);
    }
  });
  paper.addEventListener("pointermove", event => {
    if (last && event.isPrimary) {
      for (const point of event.getCoalescedEvents?.() ?? [event]) {
        const next = place(point);
        draw(last, next);
        last = next;
      }
    }
  });
  for (const end of ["pointerup", "pointercancel"]) {
    paper.addEventListener(end, event => {
      if (event.isPrimary) {
        last = null;
      }
    });
  }
}

/** A pen that arrow keys move, Space lowers and lifts, and Delete clears away with all it drew; `mark` shows it. */
function bindKeyboard(paper, mark, draw, clear) {
  const home = [paper.width / 2, paper.height / 4];
  let [at, down] = [home, false];
  const moveTo = next => {
    if (down) {
      draw(at, next);
    }
    at = next;
  };
  const keys = {
    " ": () => { down = !down; moveTo(at); },
    Delete: () => { [at, down] = [home, false]; clear(); },
  };
  keys.Backspace = keys.Delete;
  for (const [key, direction] of Object.entries(ARROWS)) {
    const along = (place, axis) => place + direction[axis] * STEP * paper.width;
    keys[key] = () => moveTo(at.map(along).map(place => Math.min(Math.max(place, 0), paper.width)));
  }
  paper.addEventListener("keydown", event => {
    if (keys[event.key]) {
      event.preventDefault();
      event.stopPropagation();
      keys[event.key]();
      mark.style.left = `${100 * at[0] / paper.width}%`;
      mark.style.top = `${100 * at[1] / paper.height}%`;
      mark.classList.toggle("down", down);
      paper.classList.add("keys");
    }
  });
  paper.addEventListener("pointerdown", () => paper.classList.remove("keys"));
}

/** Makes a bar for each class; gives the function that shows probabilities in them, or none. */
function bindBars(bars, answer, names) {
  const rows = names.map(name => {
    const cells = ["digit", "track", "share"].map(part => {
      const cell = document.createElement("span");
      cell.className = part;
      return cell;
    });
    const bar = document.createElement("span");
    bar.className = "bar";
    cells[0].textContent = name;
    cells[1].append(bar);
    bars.append(...cells);
    return { bar, share: cells[2] };
  });
  const percent = share => `${(100 * share).toFixed(1)} %`;
  return probabilities => {
    const largest = probabilities?.indexOf(Math.max(...probabilities));
    rows.forEach(({ bar, share }, index) => {
      bar.style.width = percent(probabilities?.[index] ?? 0).replace(" ", "");
      bar.classList.toggle("largest", index === largest);
      share.textContent = probabilities ? percent(probabilities[index]) : "";
    });
    const words = probabilities ? `with ${percent(probabilities[largest])}` : "Draw a digit from 0 to 9.";
    const strong = document.createElement("strong");
    strong.textContent = names[largest] ?? "?";
    answer.replaceChildren(strong, words);
    const each = probabilities?.map((share, index) => `${names[index]}: ${percent(share)}`).join(", ");
    bars.setAttribute("aria-label", `Probability of each class${each ? `: ${each}` : ""}`);
  };
}

/** A function that calls `work` at the next frame, however often it is called before. */
function oncePerFrame(work) {
  let asked = false;
  return () => {
    if (!asked) {
      asked = true;
      requestAnimationFrame(() => {
        asked = false;
        work();
      });
    }
  };
}

for (const host of document.querySelectorAll(".lenet-draw")) {
  if (!host.shadowRoot) {
    start(host);
  }
}
