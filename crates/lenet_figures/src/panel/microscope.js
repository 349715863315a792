// The microscope: what each layer makes of the drawing, and how each value of it came about. A stage is a layer with a name and
// the activations behind it; it has a row of the microscope, a canvas. A spot is a value of a stage: {stage, index}.

/** Space between maps, and a map's smallest and largest side, in CSS pixels. */
const GAP = 6;
const MAP = [34, 100];
/** The smallest and the largest cell for a value of a vector, and the height of a class's bar. */
const CELL = [8, 18];
const BAR = 52;
/** Room for the names of the classes, and for frames at the edges of a canvas. */
const NAMES = 18;
const EDGE = 2;
const GREY = "#808080";
/** Inputs that are listed as speaking for a value, and against it. */
const LISTED = 4;

/** The stages; the layer of one is `network[at]`, and its last activation `network[end]`. */
function stagesOf(network) {
  const stages = [];
  network.forEach(({ name, kind }, at) => {
    if (name) {
      stages.push({ name, at, end: at, activation: "" });
    } else if (stages.at(-1)?.end === at - 1 && ["Tanh", "ReLU", "Sigmoid"].includes(kind)) {
      Object.assign(stages.at(-1), { end: at, activation: kind === "ReLU" ? kind : kind.toLowerCase() });
    }
  });
  return stages;
}

/** How a value came about: the terms that were summed up for each map of the input, the bias, the sum, the value itself. */
function explain(network, { at, end }, made, index) {
  const [layer, input] = [network[at], made[at]];
  const [map, row, column] = placeOf(made[at + 1].shape, index);
  const side = layer.kernel ?? layer.size ?? 1;
  const taps = layer.kind === "Linear" ? layer.inputs : side * side;
  const windows = range(layer.kind === "Conv2D" ? layer.inputs : 1).map(channel => {
    const from = layer.kind === "Conv2D" ? channel : map;
    const corner = layer.kind === "Conv2D" ? [row, column] : [row * side, column * side];
    const [, rows, columns] = input.shape;
    const places = range(taps).map(tap => layer.kind === "Linear" ? tap :
      (from * rows + corner[0] + Math.floor(tap / side)) * columns + corner[1] + tap % side);
    const values = places.map(place => input.values[place]);
    const first = layer.kind === "Linear" ? index * taps : (map * layer.inputs + channel) * taps;
    const weights = Array.from(layer.weight.subarray(first, first + taps));
    const products = values.map((value, tap) => value * (weights[tap] ?? 1));
    return { map: from, corner, places, values, weights, products, sum: products.reduce((a, b) => a + b, 0) };
  });
  return { layer, side, windows, bias: layer.bias[map] ?? 0, sum: made[at + 1].values[index], value: made[end + 1].values[index] };
}

/** Map, row and column of a value. */
const placeOf = ([, rows, columns], index) =>
  [Math.floor(index / (rows * columns)), Math.floor(index / columns) % rows, index % columns];

/** Where a stage's values lie on a canvas of this width: in `lines` of `per` maps, each of `rows` by `columns` cells. */
function gridOf([channels, rows, columns], width, before, isLast) {
  if (rows * columns === 1) {
    const lines = isLast ? 1 : Math.ceil(channels * CELL[0] / width);
    const per = Math.ceil(channels / lines);
    const w = Math.min(width / per, isLast ? 2 * BAR : CELL[1]);
    const h = isLast ? BAR : w;
    return { channels, maps: 1, per: 1, rows: lines, columns: per, w, h, pitch: [width, lines * h], height: lines * h };
  }
  let per = channels;
  const side = () => (width + GAP) / per - GAP;
  while (per > 1 && side() < MAP[0]) {
    per = Math.ceil(per / 2);
  }
  // Maps of the same channels, such as pooled ones, are as large as those before.
  const alike = before?.channels === channels && before.maps === channels;
  const w = alike ? before.w * before.columns / columns : Math.max(Math.floor(4 * Math.min(side(), MAP[1]) / columns) / 4, 0.5);
  const across = per > 1 ? Math.min((width - w * columns) / (per - 1), w * columns + 4 * GAP) : width;
  const pitch = [across, w * rows + GAP];
  return { channels, maps: channels, per, rows, columns, w, h: w, pitch, height: Math.ceil(channels / per) * pitch[1] - GAP };
}

/** Left and top of the cell at a place: map, row and column. */
const cornerOf = ({ per, w, h, pitch }, [map, row, column]) =>
  [map % per * pitch[0] + column * w, Math.floor(map / per) * pitch[1] + row * h];

/** The index of the value nearest to a point. */
function indexAt({ channels, maps, per, rows, columns, w, h, pitch }, x, y) {
  const cell = (at, size, count) => clamp(Math.floor(at / size), 0, count - 1);
  const [across, down] = [cell(x, pitch[0], per), cell(y, pitch[1], Math.ceil(maps / per))];
  const map = Math.min(down * per + across, maps - 1);
  const [column, row] = [cell(x - across * pitch[0], w, columns), cell(y - down * pitch[1], h, rows)];
  return Math.min((map * rows + row) * columns + column, channels * (maps === 1 ? 1 : rows * columns) - 1);
}

/** The index of the next cell in a direction, or of the next map's first one. */
function indexBeside(grid, index, direction) {
  const { rows, columns, w, h, pitch } = grid;
  const corner = cornerOf(grid, placeOf([0, rows, columns], index));
  const beside = gaps => indexAt(grid, ...[w, h].map((size, axis) =>
    corner[axis] + (direction[axis] + 0.5) * size + direction[axis] * gaps[axis]));
  const near = beside([0, 0]);
  return near === index ? beside([pitch[0] - columns * w, pitch[1] - rows * h]) : near;
}

/** Colours from the page's style: from the strongest negative value over zero to the strongest positive one. */
function tonesOf(section, before) {
  const style = getComputedStyle(section);
  if (before?.ink === style.color) {
    return before;
  }
  const bright = rgb => rgb.reduce((sum, part, index) => sum + part * [0.3, 0.59, 0.11][index], 0);
  section.classList.toggle("dark", bright(style.color.match(/[\d.]+/g).slice(0, 3).map(Number)) > 128);
  const [minus, zero, plus] = ["--minus", "--zero", "--plus"].map(name =>
    style.getPropertyValue(name).match(/\w\w/g).map(part => parseInt(part, 16)));
  const shades = range(511).map(at => zero.map((part, index) =>
    Math.round(part + ((at < 255 ? minus : plus)[index] - part) * Math.abs(at - 255) / 255)));
  const words = Uint32Array.from(shades, ([red, green, blue]) => (0xff << 24 | blue << 16 | green << 8 | red) >>> 0);
  const place = share => Math.round(255 * clamp(share, -1, 1)) + 255;
  return {
    word: share => words[place(share)],
    style: share => `background:rgb(${shades[place(share)]});color:${bright(shades[place(share)]) > 125 ? "#000" : "#fff"}`,
    ink: style.color, ...Object.fromEntries(["minus", "plus", "zero"].map(name => [name, style.getPropertyValue(`--${name}`)])),
  };
}

const figures = (value, digits) => {
  const text = Math.abs(value).toFixed(Math.abs(value) < 100 ? digits : 0);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
};

/**
 * Makes the rows and the lens; gives `show`, which shows what a network made of a drawing, and `point`, which turns to a spot.
 * `frame` marks a window in the picture of the input.
 */
function bindMicroscope(root, network, names, frame) {
  const [section, layers, lens, title, scale] =
    [".microscope", ".layers", ".lens", ".spot", ".scale"].map(name => root.querySelector(name));
  const black = trace(network, new Float32Array(SIDE * SIDE));
  const rows = stagesOf(network).map((stage, index, { length }) => {
    const { shape } = black[stage.end + 1];
    const isOutput = index === length - 1 && shape[1] * shape[2] === 1;
    return makeRow(layers, { ...stage, layer: network[stage.at], shape, isOutput });
  });
  let [shown, tones, strongest] = [null, null, 1];
  let spot = { stage: 0, index: rows[0]?.index };
  let [chosen, held] = [0, false];

  function arrange() {
    const width = layers.clientWidth - 2 * EDGE;
    rows.forEach((row, index) => {
      row.grid = gridOf(row.shape, width, rows[index - 1]?.grid, row.isOutput);
      const size = [width, row.grid.height + (row.isOutput ? NAMES : 0)].map(length => length + 2 * EDGE);
      [row.canvas.style.width, row.canvas.style.height] = size.map(length => `${length}px`);
      [row.canvas.width, row.canvas.height] = size.map(length => Math.round(length * devicePixelRatio));
    });
    repaint();
  }

  function repaint() {
    if (layers.clientWidth === 0 || !rows[0]?.grid) {
      return;
    }
    tones = tonesOf(section, tones);
    const made = row => shown ? shown.made[row.end + 1].values : new Float32Array(row.shape.reduce((a, b) => a * b));
    const largest = values => values.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    strongest = Math.max(1, ...rows.filter(row => !row.isOutput).map(row => largest(made(row))));
    scale.textContent = figures(strongest, strongest > 1 ? 1 : 0);
    rows.forEach(row => row.isOutput ? paintBars(row, made(row), names, tones) : paintMaps(row, made(row), strongest, tones));
    const found = shown && explain(shown.network, rows[spot.stage], shown.made, spot.index);
    chosen = Math.min(chosen, (found?.windows.length ?? 1) - 1);
    frame.hidden = true;
    if (found) {
      marksOf(found).forEach(mark => mark.stage < 0 ? markInput(mark) : outline(rows[mark.stage], mark, tones));
    }
    describe(found);
  }

  /** What is marked: the spot, and in the stage before what it was computed from. */
  function marksOf({ layer, side, windows }) {
    const { stage, index } = spot;
    const before = rows[stage - 1];
    const own = { stage, place: placeOf(rows[stage].shape, index), side: 1, color: "ink" };
    if (layer.kind === "Linear") {
      const strong = before ? strongestOf(windows[0].products) : { plus: [], minus: [] };
      return ["plus", "minus"].flatMap(color => strong[color].map(index =>
        ({ stage: stage - 1, place: placeOf(before.shape, index), side: 1, color }))).concat(own);
    }
    // Zeros around the maps stand in no row.
    const padded = network.slice((before?.end ?? -1) + 1, rows[stage].at)
      .reduce((sum, { kind, size }) => sum + (kind === "ZeroPad2D" ? size : 0), 0);
    const { map, corner } = windows[chosen];
    return [{ stage: stage - 1, place: [map, ...corner.map(at => at - padded)], side, color: "ink" }, own];
  }

  function markInput({ place: [, row, column], side }) {
    const share = cells => `${100 * cells / SIDE}%`;
    Object.assign(frame.style, { left: share(column), top: share(row), width: share(side), height: share(side) });
    frame.hidden = false;
  }

  /** How the value of the spot came about, in the lens. */
  function describe(found) {
    const focused = root.activeElement?.dataset.input;
    lens.classList.toggle("held", held);
    title.textContent = "Draw a digit, then point at a value";
    lens.lastElementChild.innerHTML = "";
    if (found) {
      const [row, before] = [rows[spot.stage], rows[spot.stage - 1]];
      const words = row.isOutput ? names[spot.index] : nameOf(row.shape, spot.index);
      title.textContent = `${row.name}, ${words}: ${figures(found.value, 3)}`;
      const probability = row.isOutput ? softmax(shown.made.at(-1).values)[spot.index] : null;
      const parts = { found, row, before, probability, chosen, tones, strongest, isNarrow: lens.clientWidth < 360 };
      lens.lastElementChild.innerHTML = found.layer.kind === "Linear" ? sumsOf(parts) : windowsOf(parts);
      lens.querySelector(`[data-input="${focused}"]`)?.focus();
    }
  }

  const repaintSoon = oncePerFrame(repaint);

  /** Turns to a spot. */
  function point(stage, index) {
    if (stage !== spot.stage || index !== spot.index) {
      spot = { stage, index };
      rows[stage].index = index;
      repaintSoon();
    }
  }

  rows.forEach((row, stage) => {
    const move = event => {
      const { left, top } = row.canvas.getBoundingClientRect();
      const index = indexAt(row.grid, event.clientX - left - EDGE, event.clientY - top - EDGE);
      if (!held) {
        point(stage, index);
      }
      return held && spot.stage === stage && spot.index === index;
    };
    const on = (type, listener) => row.canvas.addEventListener(type, listener);
    on("pointermove", move);
    on("pointerdown", event => {
      const again = move(event);
      held = false;
      move(event);
      // A click with the mouse holds the spot, so that the way to the lens doesn't lose it.
      held = event.pointerType === "mouse" && !again;
      repaintSoon();
    });
    on("keydown", event => {
      const direction = ARROWS[event.key];
      if (direction || event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation();
        held = false;
        point(stage, direction ? indexBeside(row.grid, row.index, direction) : row.index);
        repaintSoon();
      }
    });
    on("focus", () => {
      if (!held && row.canvas.matches(":focus-visible")) {
        point(stage, row.index);
      }
    });
  });
  lens.addEventListener("click", event => {
    chosen = Number(event.target.closest("[data-input]")?.dataset.input ?? chosen);
    repaintSoon();
  });
  new ResizeObserver(oncePerFrame(arrange)).observe(layers);
  // The page's theme has changed: the section's colour has a transition of nearly no time.
  section.addEventListener("transitionend", repaintSoon);
  arrange();
  const show = (network, made) => {
    shown = made && { network, made };
    repaint();
  };
  return { show, point, output: rows.length - 1 };
}

/** A stage's maps, or its values in lines: painted as a pixel for each value, then scaled up. */
function paintMaps({ canvas, grid }, values, strongest, tones) {
  const pen = penOf(canvas);
  const { maps, rows, columns, w, h } = grid;
  const small = new OffscreenCanvas(columns, maps * rows);
  const image = new ImageData(columns, maps * rows);
  const words = new Uint32Array(image.data.buffer);
  values.forEach((value, index) => { words[index] = tones.word(value / strongest); });
  small.getContext("2d").putImageData(image, 0, 0);
  Object.assign(pen, { imageSmoothingEnabled: false, strokeStyle: GREY, lineWidth: 1 });
  for (let map = 0; map < maps; map++) {
    const [x, y] = cornerOf(grid, [map, 0, 0]);
    pen.drawImage(small, 0, map * rows, columns, rows, x, y, columns * w, rows * h);
    pen.strokeRect(x - 0.5, y - 0.5, columns * w + 1, rows * h + 1);
  }
}

/** A bar for each class, up from the middle for a positive value, down for a negative one. */
function paintBars({ canvas, grid: { columns, w, h } }, values, names, tones) {
  const pen = penOf(canvas);
  const most = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
  pen.fillStyle = GREY;
  pen.fillRect(0, h / 2 - 0.5, columns * w, 1);
  Object.assign(pen, { font: "13px system-ui, sans-serif", textAlign: "center" });
  values.forEach((value, index) => {
    pen.fillStyle = value < 0 ? tones.minus : tones.plus;
    pen.fillRect((index + 0.2) * w, h / 2, 0.6 * w, -value / most * (h / 2 - 2));
    pen.fillStyle = tones.ink;
    const fits = pen.measureText(names[index]).width < w - 2;
    pen.fillText(fits ? names[index] : names[index].slice(0, Math.floor(w / 9)), (index + 0.5) * w, h + 14);
  });
}

/** A drawing context in CSS pixels, within the edge of its canvas, cleared. */
function penOf(canvas) {
  const pen = canvas.getContext("2d");
  const ratio = devicePixelRatio;
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.setTransform(ratio, 0, 0, ratio, EDGE * ratio, EDGE * ratio);
  return pen;
}

/** A frame around cells. */
function outline({ canvas, grid }, { place, side, color }, tones) {
  const pen = canvas.getContext("2d");
  const size = [side * grid.w, side * grid.h];
  // A cell of two pixels would be hidden by its own frame.
  const room = size.map(size => Math.max(7 - size, 0));
  // A vector is a map whose lines are as long as the canvas is wide.
  const at = grid.maps === 1 && grid.channels > 1 ? placeOf([0, grid.rows, grid.columns], place[0]) : place;
  const [x, y] = cornerOf(grid, at).map((corner, axis) => corner - room[axis] / 2);
  for (const [lineWidth, strokeStyle] of [[4, tones.zero], [2, tones[color]]]) {
    Object.assign(pen, { lineWidth, strokeStyle });
    pen.strokeRect(x, y, size[0] + room[0], size[1] + room[1]);
  }
}

/** The label and the canvas of a stage. */
function makeRow(layers, row) {
  const { name, activation, layer, shape, isOutput } = row;
  const side = layer.kernel ?? layer.size;
  const what = { Conv2D: `${side}×${side} convolution`, AvgPool2D: `mean of ${side}×${side}`,
    MaxPool2D: `largest of ${side}×${side}`, Linear: "dense" }[layer.kind];
  const values = shape[1] * shape[2] === 1 ? `${shape[0]} values` : `${shape[0]} maps of ${shape[1]}×${shape[2]}`;
  const label = document.createElement("p");
  label.innerHTML = `<strong>${name}</strong> ${values}: ${what}${activation && `, ${activation}`}${isOutput ? ", then softmax" : ""}`;
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { className: "maps", tabIndex: 0 });
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", `${label.textContent}. Arrow keys point at a value.`);
  layers.append(label, canvas);
  return { ...row, canvas, index: Math.floor(shape[1] / 2) * shape[2] + Math.floor(shape[2] / 2), grid: null };
}

/** A value's place in words. */
function nameOf(shape, index) {
  const [map, row, column] = placeOf(shape, index);
  return shape[1] * shape[2] === 1 ? `value ${index}` : `map ${map}, row ${row}, column ${column}`;
}

/** The places of the largest products and of the smallest. */
function strongestOf(products) {
  const order = range(products.length).sort((a, b) => products[b] - products[a]);
  const against = order.slice(-LISTED).reverse();
  return { plus: order.slice(0, LISTED).filter(at => products[at] > 0), minus: against.filter(at => products[at] < 0) };
}

/** The last steps to the value, a line each: some `lines`, then the bias, the sum, the activation, softmax. */
function stepsOf({ row, found: { layer, bias, sum, value }, probability }, lines) {
  const steps = [...lines];
  if (layer.bias.length) {
    steps.push(["+ bias", bias], ["sum", sum]);
  }
  if (row.activation) {
    steps.push([`${row.activation}(${figures(sum, 3)})`, value]);
  }
  const all = steps.map(([words, value]) => `<span>${words}</span><b>${figures(value, 3)}</b>`);
  if (probability !== null) {
    all.push(`<span>softmax</span><b>${(100 * probability).toFixed(1)} %</b>`);
  }
  return `<div class="steps">${all.join("")}</div>`;
}

/** A window of a convolution or of pooling: values, weights, products, their sum. */
function windowsOf(parts) {
  const { found: { layer, side, windows, sum }, before, chosen, tones, strongest, isNarrow } = parts;
  const { map, values, weights, products, sum: own } = windows[chosen];
  // On a narrow screen without the 0 before the point.
  const short = value => figures(value, 2).replace(isNarrow ? "0." : "", isNarrow ? "." : "");
  const table = (cells, most, caption) => `<figure>
    <div class="window" style="grid-template-columns:repeat(${side},minmax(0,1fr))">${cells.map(cell =>
      `<span style="${tones.style(cell / most)}">${side > 5 ? "" : short(cell)}</span>`).join("")}</div>
    <figcaption>${caption}</figcaption></figure>`;
  const window = table(values, strongest, `window in ${before ? `${before.name}, map ${map}` : "the image"}`);
  if (layer.kind !== "Conv2D") {
    const lines = layer.kind === "MaxPool2D" ? [["the largest", sum]] : [[`sum of ${values.length}`, own], [`÷ ${values.length}`, sum]];
    return `<div class="formula">${window}${stepsOf(parts, lines)}</div>`;
  }
  const most = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 1e-6);
  const others = windows.length - 1;
  const rest = windows.reduce((rest, { sum }) => rest + sum, -own);
  const lines = [[`${products.length} products`, own], ...(others ? [[`+ ${others} other map${others > 1 ? "s" : ""}`, rest]] : [])];
  const buttons = windows.map(({ sum }, input) => `<button type="button" data-input="${input}" aria-pressed="${input === chosen}"
    style="${tones.style(sum / strongest)}" aria-label="map ${input}, sum ${figures(sum, 2)}">${figures(sum, 2)}</button>`);
  const choice = others ? `<p>Sum of products for each map of ${before.name}:</p><div class="inputs">${buttons.join("")}</div>` : "";
  return `${choice}<div class="formula">${window}${table(weights, most, "× filter")}
    ${table(products, strongest, "= products")}${stepsOf(parts, lines)}</div>`;
}

/** The inputs that speak most for a value of a dense layer, and against it. */
function sumsOf(parts) {
  const { found: { windows: [{ values, weights, products, sum }] }, before } = parts;
  const [name, shape] = before ? [before.name, before.shape] : ["the image", [1, SIDE, SIDE]];
  const strong = strongestOf(products);
  const most = products.reduce((most, product) => Math.max(most, Math.abs(product)), 1e-6);
  const list = (words, side) => `<p>${words}</p><div class="terms">${strong[side].map(index =>
    `<span>${shape[1] * shape[2] === 1 ? `${name} ${index}` : placeOf(shape, index).join(" · ")}</span>
     <span>${figures(values[index], 2)} × ${figures(weights[index], 2)}</span><b>${figures(products[index], 2)}</b>
     <i class="${side}" style="width:${100 * Math.abs(products[index]) / most}%"></i>`).join("")}</div>`;
  const places = shape[1] * shape[2] === 1 ? "" : ` (map · row · column of ${name})`;
  return list(`Speak for it${places}: value × weight`, "plus") + list("Speak against it", "minus") +
    stepsOf(parts, [[`all ${products.length} products`, sum]]);
}
