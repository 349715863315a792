// The panel: a canvas to draw on, what the network sees of it, and a bar for each class.

/** Width of the pen and a keyboard's step, as shares of the canvas. */
const PEN = 0.075;
const STEP = 0.025;
/** Width of the pen as a share of the drawing, as bold as MNIST's strokes are in their box of 20 x 20. */
const MNIST_PEN = 2.5 / 20;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The ends of a 7's strokes, as shares of the canvas. */
const SEVEN = [[0.26, 0.2], [0.72, 0.2], [0.42, 0.84]];

/** Turns a place holder into a panel. Everything is found below `host`: there may be many on a page. */
function start(host) {
  const part = name => host.querySelector(`script.${name}`).textContent;
  const written = JSON.parse(part("network"));
  const trained = readNetwork(written);
  const fresh = untrained(trained);
  const root = host.attachShadow({ mode: "open" });
  root.innerHTML = part("panel");
  const [paper, mark, seen, frame, answer, clearButton, sevenButton, bars, freshBox] =
    [".paper", ".pen", ".seen", ".frame", ".answer", ".clear", ".seven", ".bars", ".fresh"].map(name => root.querySelector(name));
  const network = () => freshBox.checked ? fresh : trained;
  const show = bindBars(bars, answer, written.names);
  // Without an alpha channel, whatever is drawn lies on black, as MNIST's digits do.
  const pen = paper.getContext("2d", { alpha: false, willReadFrequently: true });
  Object.assign(pen, { lineWidth: PEN * paper.width, lineCap: "round", lineJoin: "round", strokeStyle: "white" });
  const lines = scaledLines(pen.lineWidth / 2);
  const microscope = bindMicroscope(root, trained, written.names, frame);

  /** Reads the canvas: the pixels that the network sees and the probabilities, or the problem where there is no digit. */
  function read() {
    const drawing = lines.redrawn() ?? pen;
    const { pixels, problem } = prepare(levelsOf(drawing), drawing.canvas.width);
    if (!pixels) {
      return { problem };
    }
    const made = trace(network(), pixels);
    return { pixels, made, probabilities: softmax(made.at(-1).values) };
  }

  function update() {
    const { pixels, made, probabilities, problem } = read();
    paint(seen, pixels ?? new Float32Array(SIDE * SIDE));
    show(probabilities, problem);
    microscope.show(network(), made ?? null);
  }

  function clear() {
    pen.clearRect(0, 0, paper.width, paper.height);
    lines.clear();
    update();
  }

  const updateSoon = oncePerFrame(update);
  const draw = (from, to) => {
    line(pen, from, to);
    lines.add(from, to);
    updateSoon();
  };
  bindPointer(paper, draw);
  bindKeyboard(paper, mark, draw, clear);
  clearButton.addEventListener("click", clear);
  sevenButton.addEventListener("click", () => {
    clear();
    const places = SEVEN.map(place => place.map(share => share * paper.width));
    places.slice(1).forEach((place, index) => draw(places[index], place));
  });
  freshBox.addEventListener("change", update);
  bars.addEventListener("pointermove", event => {
    const { top, height } = bars.getBoundingClientRect();
    const at = Math.floor((event.clientY - top) / height * written.names.length);
    microscope.point(microscope.output, clamp(at, 0, written.names.length - 1));
  });
  // JupyterLab has shortcuts for single keys, which are meant for cells.
  host.setAttribute("data-lm-suppress-shortcuts", "true");
  clear();
  const stages = pixels => {
    const made = trace(network(), pixels);
    return stagesOf(trained).map(({ end }) => made[end + 1].values);
  };
  // For tests, and for whoever wants to look inside in the browser's console.
  host.lenet = { canvas: paper, forward: pixels => forward(network(), pixels), stages, read, update, clear };
}

/** A straight line. */
function line(pen, from, to) {
  pen.beginPath();
  pen.moveTo(...from);
  pen.lineTo(...to);
  pen.stroke();
}

/** The lines that are drawn, to be drawn again at one size with one pen: a small digit would be a blob else. */
function scaledLines(least) {
  const [SIZE, DRAWING] = [140, 100];
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE;
  const pen = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  let lines = [];
  return {
    add: (from, to) => { lines.push([from, to]); },
    clear: () => { lines = []; },
    /** The pen that drew them, or null for a drawing that is smaller than `least`. */
    redrawn() {
      const [x, y] = [0, 1].map(axis => {
        const places = lines.flat().map(place => place[axis]);
        const [from, to] = [places.reduce((a, b) => Math.min(a, b), Infinity), places.reduce((a, b) => Math.max(a, b), 0)];
        return { middle: (from + to) / 2, length: to - from };
      });
      const side = Math.max(x.length, y.length);
      if (!(side >= least)) {
        return null;
      }
      const scale = DRAWING / side;
      pen.setTransform(1, 0, 0, 1, 0, 0);
      pen.clearRect(0, 0, SIZE, SIZE);
      pen.setTransform(scale, 0, 0, scale, SIZE / 2 - scale * x.middle, SIZE / 2 - scale * y.middle);
      // The pen's own width is part of what is scaled into MNIST's box.
      const lineWidth = side * MNIST_PEN / (1 - MNIST_PEN);
      Object.assign(pen, { lineWidth, lineCap: "round", lineJoin: "round", strokeStyle: "white" });
      lines.forEach(ends => line(pen, ...ends));
      return pen;
    },
  };
}

/** Grey levels from 0 to 255 of what is drawn. */
function levelsOf(pen) {
  const { width, height } = pen.canvas;
  const { data } = pen.getImageData(0, 0, width, height);
  const levels = new Float64Array(width * height);
  for (let index = 0; index < levels.length; index++) {
    levels[index] = data[4 * index];
  }
  return levels;
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
      const between = event.getCoalescedEvents?.() ?? [];
      for (const point of between.length ? between : [event]) {
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

/** Makes a bar for each class; gives the function that shows probabilities in them, or none and why. */
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
  return (probabilities, problem) => {
    const largest = probabilities?.indexOf(Math.max(...probabilities));
    rows.forEach(({ bar, share }, index) => {
      bar.style.width = percent(probabilities?.[index] ?? 0).replace(" ", "");
      bar.classList.toggle("largest", index === largest);
      share.textContent = probabilities ? percent(probabilities[index]) : "";
    });
    const words = probabilities ? `with ${percent(probabilities[largest])}` : problem;
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
