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

/** Left and top of a value's cell. */
function cornerOf({ per, rows, columns, w, h, pitch }, index) {
  const [map, row, column] = placeOf([0, rows, columns], index);
  return [map % per * pitch[0] + column * w, Math.floor(map / per) * pitch[1] + row * h];
}

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
  const corner = cornerOf(grid, index);
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
 * Makes the rows and the lens; gives the function that shows what a network made of a drawing, and `point`, which turns to a
 * spot. `seen` is the input's picture, in which `frame` marks a window.
 */
function bindMicroscope(root, network, names, frame) {
  const [section, layers, lens, title, scale] = [".microscope", ".layers", ".lens", ".spot", ".scale"].map(name => root.querySelector(name));
  const stages = stagesOf(network);
  const last = stages.at(-1);
  const shapes = stages.map(({ end }) => trace(network, new Float32Array(SIDE * SIDE))[end + 1].shape);
  const rows = stages.map((stage, index) => makeRow(layers, network[stage.at], stage, shapes[index], stage === last));
  const scratch = document.createElement("canvas");
  let [shown, tones] = [null, null];
  let spot = { stage: 0, index: middleOf(shapes[0]) };
  let [chosen, held] = [0, false];

  function arrange() {
    const width = layers.clientWidth - 2 * EDGE;
    rows.forEach((row, index) => {
      row.grid = gridOf(shapes[index], width, rows[index - 1]?.grid, stages[index] === last);
      const height = row.grid.height + (stages[index] === last ? NAMES : 0) + 2 * EDGE;
      Object.assign(row.canvas.style, { width: `${width + 2 * EDGE}px`, height: `${height}px` });
      [row.canvas.width, row.canvas.height] = [width + 2 * EDGE, height].map(length => Math.round(length * devicePixelRatio));
    });
    repaint();
  }

  function repaint() {
    if (!rows[0].grid || layers.clientWidth === 0) {
      return;
    }
    tones = tonesOf(section, tones);
    const largest = (most, values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), most);
    const inner = stages.filter(stage => stage !== last);
    const strongest = shown ? inner.reduce((most, { end }) => largest(most, shown.made[end + 1].values), 1) : 1;
    scale.textContent = figures(strongest, strongest > 1 ? 1 : 0);
    const found = shown && explain(shown.network, stages[spot.stage], shown.made, spot.index);
    chosen = Math.min(chosen, (found?.windows.length ?? 1) - 1);
    const marks = found ? marksOf(found) : [];
    frame.hidden = true;
    rows.forEach((row, index) => {
      const values = shown?.made[stages[index].end + 1].values ?? new Float32Array(shapes[index][0] * shapes[index][1] * shapes[index][2]);
      const paintOf = stages[index] === last ? paintBars : paintMaps;
      paintOf(row, values, strongest);
      const pen = row.canvas.getContext("2d");
      marks.filter(mark => mark.stage === index).forEach(mark => outline(pen, row.grid, mark, tones));
    });
    const input = marks.find(mark => mark.stage < 0 && mark.side);
    if (input) {
      const [, row, column] = placeOf([1, SIDE, SIDE], input.index);
      const share = cells => `${100 * cells / SIDE}%`;
      Object.assign(frame.style, { left: share(column), top: share(row), width: share(input.side), height: share(input.side) });
      frame.hidden = false;
    }
    describe(found, strongest);
  }

  /** What is marked: the spot, and in the stage before what it was computed from. */
  function marksOf({ layer, side, windows }) {
    const { stage } = spot;
    const before = stage - 1;
    const shape = before < 0 ? [1, SIDE, SIDE] : shapes[before];
    // Zeros around the maps stand in no row.
    const padded = network.slice((stages[before]?.end ?? -1) + 1, stages[stage].at)
      .reduce((sum, { kind, size }) => sum + (kind === "ZeroPad2D" ? size : 0), 0);
    const marks = [{ stage, index: spot.index, side: 1, color: "ink" }];
    if (layer.kind === "Linear") {
      const [window] = windows;
      const strong = strongestOf(window.products);
      strong.for.forEach(index => marks.push({ stage: before, index, side: 1, color: "plus" }));
      strong.against.forEach(index => marks.push({ stage: before, index, side: 1, color: "minus" }));
      return before < 0 ? marks.slice(0, 1) : marks;
    }
    const { map, corner } = windows[chosen];
    const [row, column] = corner.map(place => place - padded);
    return [...marks, { stage: before, index: (map * shape[1] + row) * shape[2] + column, side, color: "ink" }];
  }

  function paintMaps({ canvas, grid }, values, strongest) {
    const pen = penOf(canvas);
    const { maps, columns, w, h } = grid;
    Object.assign(scratch, { width: columns, height: maps * grid.rows });
    const image = new ImageData(columns, maps * grid.rows);
    const words = new Uint32Array(image.data.buffer);
    values.forEach((value, index) => { words[index] = tones.word(value / strongest); });
    scratch.getContext("2d").putImageData(image, 0, 0);
    pen.imageSmoothingEnabled = false;
    pen.strokeStyle = "#808080";
    for (let map = 0; map < maps; map++) {
      const [x, y] = cornerOf(grid, map * grid.rows * columns);
      pen.drawImage(scratch, 0, map * grid.rows, columns, grid.rows, x, y, columns * w, grid.rows * h);
      pen.strokeRect(x - 0.5, y - 0.5, columns * w + 1, grid.rows * h + 1);
    }
  }

  /** A bar for each class, up from the middle for a positive value, down for a negative one. */
  function paintBars({ canvas, grid }, values) {
    const pen = penOf(canvas);
    const { columns, w, h } = grid;
    const most = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
    pen.fillStyle = "#808080";
    pen.fillRect(0, h / 2 - 0.5, columns * w, 1);
    Object.assign(pen, { font: "13px system-ui, sans-serif", textAlign: "center", textBaseline: "alphabetic" });
    values.forEach((value, index) => {
      pen.fillStyle = value < 0 ? tones.minus : tones.plus;
      pen.fillRect((index + 0.2) * w, h / 2, 0.6 * w, -value / most * (h / 2 - 2));
      pen.fillStyle = tones.ink;
      const fits = pen.measureText(names[index]).width < w - 2;
      pen.fillText(fits ? names[index] : names[index].slice(0, Math.floor(w / 9)), (index + 0.5) * w, h + 14);
    });
  }

  function describe(found, strongest) {
    const focused = root.activeElement?.dataset.input;
    lens.classList.toggle("held", held);
    if (!found) {
      title.textContent = "Draw a digit, then point at a value";
      lens.lastElementChild.innerHTML = "";
      return;
    }
    const stage = stages[spot.stage];
    const shape = shapes[spot.stage];
    const word = stage === last ? names[spot.index] : nameOf(shape, spot.index);
    title.textContent = `${stage.name}, ${word}: ${figures(found.value, 3)}`;
    const parts = { network, stage, found, chosen, tones, strongest, before: stages[spot.stage - 1]?.name ?? "the image",
      shape: shapes[spot.stage - 1] ?? [1, SIDE, SIDE],
      probability: stage === last ? softmax(shown.made.at(-1).values)[spot.index] : null };
    lens.lastElementChild.innerHTML = found.layer.kind === "Linear" ? sumsOf(parts) : windowsOf(parts);
    lens.querySelector(`[data-input="${focused}"]`)?.focus();
  }

  /** Turns to a spot. */
  function point(stage, index) {
    if (stage !== spot.stage || index !== spot.index) {
      spot = { stage, index };
      rows[stage].index = index;
      repaintSoon();
    }
  }

  const repaintSoon = oncePerFrame(repaint);
  rows.forEach(({ canvas }, stage) => bindRow(canvas, stage));

  function bindRow(canvas, stage) {
    const at = event => {
      const bounds = canvas.getBoundingClientRect();
      return indexAt(rows[stage].grid, event.clientX - bounds.left - EDGE, event.clientY - bounds.top - EDGE);
    };
    const move = event => {
      const index = at(event);
      if (!held && index < shapes[stage].reduce((a, b) => a * b)) {
        point(stage, index);
      }
    };
    canvas.addEventListener("pointermove", move);
    canvas.addEventListener("pointerdown", event => {
      const again = spot.stage === stage && spot.index === at(event);
      const wasHeld = held;
      held = false;
      move(event);
      // A click with the mouse holds the spot, so that the way to the lens doesn't lose it.
      held = event.pointerType === "mouse" && !(wasHeld && again);
      repaintSoon();
    });
    canvas.addEventListener("keydown", event => {
      const direction = ARROWS[event.key];
      if (direction || event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation();
        held = false;
        const from = rows[stage].index;
        point(stage, direction ? indexBeside(rows[stage].grid, from, direction) : from);
        repaintSoon();
      }
    });
    canvas.addEventListener("focus", () => {
      if (!held && canvas.matches(":focus-visible")) {
        point(stage, rows[stage].index);
      }
    });
  }

  lens.addEventListener("click", event => {
    const { input } = event.target.closest("[data-input]")?.dataset ?? {};
    if (input) {
      chosen = Number(input);
      repaint();
    }
  });
  new ResizeObserver(oncePerFrame(arrange)).observe(layers);
  // The page's theme has changed: the section's colour has a transition of no time.
  section.addEventListener("transitionend", repaintSoon);
  arrange();
  return {
    /** Shows what `network` made of a drawing, as `trace` gives it; null for no drawing. */
    show(network, made) {
      shown = made && { network, made };
      repaint();
    },
    point,
    classes: stages.length - 1,
  };
}

const middleOf = ([, rows, columns]) => Math.floor(rows / 2) * columns + Math.floor(columns / 2);

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
function outline(pen, grid, { index, side, color }, tones) {
  const corner = cornerOf(grid, index);
  const size = [side * grid.w, side * grid.h];
  // A cell of two pixels would be hidden by its own frame.
  const room = size.map(size => Math.max(7 - size, 0));
  const [x, y] = corner.map((place, axis) => place - room[axis] / 2);
  for (const [line, style] of [[4, tones.zero], [2, tones[color]]]) {
    Object.assign(pen, { lineWidth: line, strokeStyle: style });
    pen.strokeRect(x, y, size[0] + room[0], size[1] + room[1]);
  }
  pen.lineWidth = 1;
}

/** The label and the canvas of a stage. */
function makeRow(layers, layer, { name, activation }, shape, isLast) {
  const side = layer.kernel ?? layer.size;
  const what = { Conv2D: `${side}×${side} convolution`, AvgPool2D: `mean of ${side}×${side}`, MaxPool2D: `largest of ${side}×${side}`,
    Linear: "dense" }[layer.kind];
  const values = shape[1] * shape[2] === 1 ? `${shape[0]} values` : `${shape[0]} maps of ${shape[1]}×${shape[2]}`;
  const label = document.createElement("p");
  label.innerHTML = `<strong>${name}</strong> ${values}: ${[what, activation].filter(Boolean).join(", ")}${isLast ? ", then softmax" : ""}`;
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { className: "maps", tabIndex: 0 });
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", `${label.textContent}. Arrow keys point at a value.`);
  layers.append(label, canvas);
  return { canvas, index: middleOf(shape), grid: null };
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
  return { for: order.slice(0, LISTED).filter(at => products[at] > 0), against: against.filter(at => products[at] < 0) };
}

/** The last steps from the products to the value, a line each. */
function stepsOf({ stage, found: { layer, bias, sum, value }, probability }, lines) {
  const all = [...lines, ...(layer.bias.length ? [["+ bias", bias]] : [])];
  all.push([lines.length ? "sum" : "=", sum]);
  if (stage.activation) {
    all.push([`${stage.activation}(${figures(sum, 3)})`, value]);
  }
  const rows = all.map(([words, value]) => `<span>${words}</span><b>${figures(value, 3)}</b>`);
  if (probability !== null) {
    rows.push(`<span>softmax</span><b>${(100 * probability).toFixed(1)} %</b>`);
  }
  return `<div class="steps">${rows.join("")}</div>`;
}

/** A window of a convolution or of pooling: values, weights, products, the sum. */
function windowsOf(parts) {
  const { found: { layer, side, windows, bias, sum }, chosen, tones, strongest, before } = parts;
  const { map, values, weights, products, sum: own } = windows[chosen];
  const table = (cells, most, caption) => `<figure><div class="window" style="grid-template-columns:repeat(${side},1fr)">${
    cells.map(cell => `<span style="${tones.style(cell / most)}">${side > 5 ? "" : figures(cell, 2)}</span>`).join("")
  }</div><figcaption>${caption}</figcaption></figure>`;
  const where = before === "the image" ? "the image" : `${before}, map ${map}`;
  if (layer.kind !== "Conv2D") {
    const lines = layer.kind === "AvgPool2D" ? [[`sum of ${values.length}`, own], [`÷ ${values.length}`, sum]] : [["the largest", sum]];
    return `<div class="formula">${table(values, strongest, `window in ${where}`)}${stepsOf(parts, lines.slice(0, 1))}</div>`;
  }
  const most = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 1e-6);
  const rest = windows.reduce((rest, { sum }) => rest + sum, -own);
  const lines = [[`${products.length} products`, own], ...(windows.length > 1 ? [[`+ ${windows.length - 1} other maps`, rest]] : [])];
  const choice = windows.length === 1 ? "" : `<p>Each map of ${before} has its own window and filter. Their sums:</p>
    <div class="inputs">${windows.map(({ sum }, input) => `<button type="button" data-input="${input}" aria-pressed="${input === chosen}"
      style="${tones.style(sum / strongest)}" aria-label="map ${input}, sum ${figures(sum, 2)}">${figures(sum, 2)}</button>`).join("")}</div>`;
  return `${choice}<div class="formula">${table(values, strongest, `window in ${where}`)}${table(weights, most, "× filter")}
    ${table(products, strongest, "= products")}${stepsOf(parts, lines)}</div>`;
}

/** The inputs that speak most for a value of a dense layer, and against it. */
function sumsOf(parts) {
  const { found: { windows: [{ values, weights, products, sum }] }, before, shape } = parts;
  const strong = strongestOf(products);
  const most = Math.max(...products.map(Math.abs), 1e-6);
  const list = (indices, side, words) => `<p>${words}</p><div class="terms">${indices.map(index =>
    `<span>${shape[1] * shape[2] === 1 ? `${before} ${index}` : placeOf(shape, index).join(" · ")}</span>
     <span>${figures(values[index], 2)} × ${figures(weights[index], 2)}</span><b>${figures(products[index], 2)}</b>
     <i class="${side}" style="width:${100 * Math.abs(products[index]) / most}%"></i>`).join("")}</div>`;
  const unit = shape[1] * shape[2] === 1 ? "" : ` (map · row · column of ${before})`;
  return list(strong.for, "plus", `Speak for it${unit}: value × weight`) + list(strong.against, "minus", "Speak against it") +
    stepsOf(parts, [[`all ${products.length} products`, sum]]);
}
