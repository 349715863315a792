// From a picture of a digit to what MNIST would have made of it: ink white on black, scaled into a box of 20 x 20 pixels, its
// centre of mass in the middle of 28 x 28 (LeCun, Bottou, Bengio and Haffner 1998, section III.A), its strokes as bold as
// MNIST's. The same as the module `picture` of the crate lenet_mnist, step by step; the sources of the methods stand there.
// A map is {width, height, values}, a frame {left, top, right, bottom}: the last two lie just outside of it.

const SIDE = 28;
const BOX = 20;
const EMPTY = "Draw a digit from 0 to 9.";

/**
 * The `pixels`, 28 x 28 grey levels from 0 to 1, of a picture in grey levels from 0 (black) to 255 (white), `width` in a row;
 * or the `problem`, if it shows no digit.
 */
function prepare(levels, width) {
  const ink = inkOf(smaller({ width, height: levels.length / width, values: levels }));
  if (!ink) {
    return { problem: EMPTY };
  }
  const { problem, map, frame } = digitOf(ink);
  if (problem) {
    return { problem };
  }
  const strokes = measured(map, frame);
  if (strokes.problem) {
    return strokes;
  }
  return { pixels: strokes.changed ? place(strokes.changed, frameAbove(strokes.changed, 0.1)) : place(map, frame) };
}

const range = count => Array.from({ length: count }, (_, index) => index);
const clamp = (value, least, most) => Math.min(Math.max(value, least), most);
const sideOf = ({ left, top, right, bottom }) => Math.max(right - left, bottom - top);
const around = (a, b) => ({ left: Math.min(a.left, b.left), top: Math.min(a.top, b.top),
  right: Math.max(a.right, b.right), bottom: Math.max(a.bottom, b.bottom) });
const emptyMap = (width, height) => ({ width, height, values: new Float64Array(width * height) });

/** The smallest frame around all values above `least`. */
function frameAbove({ width, height, values }, least) {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let at = 0, y = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      if (values[at] > least) {
        [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
        [top, bottom] = [Math.min(top, y), y + 1];
      }
    }
  }
  return { left, top, right, bottom };
}

// Maps in another size. An axis is, for each pixel, a list of points and their weights.

/** Each of `count` pixels is the mean of the `step` points that it covers. Beyond `length` points there is no ink. */
function cover(length, step, count) {
  return range(count).map(pixel => {
    const from = pixel * step;
    const to = Math.min(from + step, length);
    const covered = [];
    for (let point = Math.floor(from); point < to; point++) {
      covered.push([point, (Math.min(to, point + 1) - Math.max(from, point)) / step]);
    }
    return covered;
  });
}

/** Each of `count` pixels is a mean with weights that fall off from its middle, to the next pixel's or the next point's. */
function tent(length, step, margin, count) {
  const reach = Math.max(step, 1);
  return range(count).map(pixel => {
    const middle = (pixel + 0.5 - margin) * step - 0.5;
    const all = [];
    let total = 0;
    for (let point = Math.ceil(middle - reach); point <= Math.floor(middle + reach); point++) {
      const weight = 1 - Math.abs(point - middle) / reach;
      total += weight;
      all.push([point, weight]);
    }
    return all.filter(([point]) => point >= 0 && point < length).map(([point, weight]) => [point, weight / total]);
  });
}

/** For each row and column of weights, the sum over the points of `frame`. */
function weighted({ width, values }, frame, columns, rows) {
  const map = emptyMap(columns.length, rows.length);
  let at = 0;
  for (const row of rows) {
    for (const column of columns) {
      let sum = 0;
      for (const [y, down] of row) {
        const first = (frame.top + y) * width + frame.left;
        for (const [x, across] of column) {
          sum += down * across * values[first + x];
        }
      }
      map.values[at++] = sum;
    }
  }
  return map;
}

/** A large picture, made smaller. */
function smaller(map) {
  const step = Math.max(map.width, map.height) / 600;
  if (step <= 1) {
    return map;
  }
  const axis = length => {
    const count = Math.max(Math.floor(length / step), 1);
    return cover(length, length / count, count);
  };
  return weighted(map, { left: 0, top: 0 }, axis(map.width), axis(map.height));
}

// The paper.

const terms = (x, y) => [1, x, y, x * x, x * y, y * y];

/** The ink of a picture from 0 (paper) to 1, and from which value on it is `sure`; null where nothing stands out. */
function inkOf(map) {
  const { width, height, values } = map;
  const border = borderOf(map);
  const [a, b, c, d, e, f] = shadeOf(map, border);
  const over = emptyMap(width, height).values;
  let [darker, brighter] = [0, 0];
  for (let at = 0, row = 0; row < height; row++) {
    const y = (2 * row + 1) / height - 1;
    for (let column = 0; column < width; column++, at++) {
      const x = (2 * column + 1) / width - 1;
      const paper = a + x * b + y * c + x * x * d + x * y * e + y * y * f;
      over[at] = values[at] - clamp(paper, 0, 255);
      darker += over[at] < 0 ? over[at] ** 2 : 0;
      brighter += over[at] > 0 ? over[at] ** 2 : 0;
    }
  }
  const noise = sorted(border.map(at => Math.abs(over[at])))[Math.floor(border.length / 2)] / 0.6745;
  const sign = darker > brighter ? -1 : 1;
  const amounts = over.map(over => clamp(sign * over, 0, 255));
  const { threshold, contrast } = otsu(amounts);
  if (contrast < Math.max(20, 5 * noise)) {
    return null;
  }
  const sure = sorted(amounts.filter(amount => amount >= threshold));
  const level = sure[Math.floor(sure.length * 9 / 10)];
  const faint = Math.min(Math.max(0.1 * level, 3 * noise), threshold);
  const ink = amounts.map(amount => amount < faint ? 0 : Math.min(amount / level, 1));
  return { width, height, values: ink, sure: threshold / level };
}

const sorted = values => Float64Array.from(values).sort();

/** The pixels near the edges. */
function borderOf({ width, height }) {
  const breadth = Math.max(Math.floor(Math.min(width, height) / 16), 1);
  const near = (at, size) => at < breadth || at + breadth >= size;
  const border = [];
  for (let at = 0, y = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      if (near(x, width) || near(y, height)) {
        border.push(at);
      }
    }
  }
  return border;
}

/** The polynomial of degree 2 that fits the border best by absolute differences. */
function shadeOf({ width, height, values }, border) {
  const every = Math.ceil(border.length / 4096);
  const points = border.filter((_, index) => index % every === 0).map(at => {
    const along = (at, size) => (2 * at + 1) / size - 1;
    return { level: values[at], terms: terms(along(at % width, width), along(Math.floor(at / width), height)) };
  });
  let shade = [sorted(points.map(point => point.level))[Math.floor(points.length / 2)], 0, 0, 0, 0, 0];
  for (let round = 0; round < 8; round++) {
    const sums = shade.map(() => new Array(7).fill(0));
    for (const { level, terms } of points) {
      const paper = terms.reduce((sum, term, index) => sum + term * shade[index], 0);
      const weight = 1 / (Math.abs(level - paper) + 1);
      for (let row = 0; row < 6; row++) {
        for (let column = 0; column < 6; column++) {
          sums[row][column] += weight * terms[row] * terms[column];
        }
        sums[row][6] += weight * terms[row] * level;
      }
    }
    shade = solve(sums);
  }
  return shade;
}

/** Solves the equations by Gauss' elimination. */
function solve(sums) {
  sums.forEach((row, index) => { row[index] += 1e-6; });
  sums.forEach((line, pivot) => {
    sums.forEach((row, index) => {
      if (index !== pivot) {
        const factor = row[pivot] / line[pivot];
        line.forEach((value, column) => { row[column] -= factor * value; });
      }
    });
  });
  return sums.map((row, index) => row[6] / row[index]);
}

/** The threshold that parts the amounts from 0 to 255 into two classes as far apart as can be. */
function otsu(amounts) {
  const counts = new Array(256).fill(0);
  amounts.forEach(amount => { counts[Math.floor(amount)] += 1; });
  const moment = counts.reduce((sum, count, level) => sum + level * count, 0);
  let [below, momentBelow, most, threshold, contrast] = [0, 0, 0, 0, 0];
  counts.forEach((count, level) => {
    below += count;
    momentBelow += level * count;
    const above = amounts.length - below;
    const distance = (moment - momentBelow) / above - momentBelow / below;
    const apart = below * above * distance * distance;
    if (below > 0 && above > 0 && apart > most) {
      [most, threshold, contrast] = [apart, level + 1, distance];
    }
  });
  return { threshold, contrast };
}

// The shapes of the ink.

const STRIP = 0.08;

/** The `map` of the digit's ink alone, and its `frame`; or the `problem`, if there is no digit or there are several. */
function digitOf(ink) {
  eraseLines(ink);
  let shapes = shapesOf(ink);
  if (shapes.some(shape => !shape.atEdge)) {
    shapes = shapes.filter(shape => !shape.atEdge);
  }
  shapes.sort((a, b) => b.ink - a.ink);
  const [main, ...others] = shapes;
  if (!main) {
    return { problem: EMPTY };
  }
  const across = (a, b) => Math.max(Math.max(a.left, b.left) - Math.min(a.right, b.right), 0);
  const gap = (a, b) => Math.max(Math.max(a.top, b.top) - Math.min(a.bottom, b.bottom), across(a, b));
  const side = sideOf(main.frame);
  if (others.some(({ ink, frame }) =>
    ink > 0.3 * main.ink && sideOf(frame) > 0.6 * side && across(frame, main.frame) > 0.1 * side)) {
    return { problem: "These are several digits: draw one." };
  }
  let [frame, digit, rest, found] = [main.frame, [main], others, others];
  while (found.length) {
    const near = shape => gap(shape.frame, frame) < 0.25 * sideOf(frame);
    const belongs = shape => shape.ink > 0.25 * main.ink || shape.ink > 0.01 * main.ink && near(shape);
    found = rest.filter(belongs);
    rest = rest.filter(shape => !found.includes(shape));
    frame = found.reduce((frame, shape) => around(frame, shape.frame), frame);
    digit.push(...found);
  }
  if (sideOf(frame) < 6) {
    return { problem: "A speck is no digit." };
  }
  if (frame.right - frame.left > 2.5 * (frame.bottom - frame.top)) {
    return { problem: "This is too wide for one digit." };
  }
  const map = emptyMap(ink.width, ink.height);
  digit.forEach(shape => shape.pixels.forEach(at => { map.values[at] = ink.values[at]; }));
  return { map, frame };
}

/** Takes away the lines that run along a whole edge, unless ink touches the opposite edge, too. */
function eraseLines({ width, height, values }) {
  const depth = Math.ceil(STRIP * Math.min(width, height));
  const line = (edge, depth) => [
    () => range(width).map(x => depth * width + x),
    () => range(width).map(x => (height - 1 - depth) * width + x),
    () => range(height).map(y => y * width + depth),
    () => range(height).map(y => y * width + width - 1 - depth),
  ][edge]();
  const share = pixels => pixels.filter(at => values[at] > 0).length / pixels.length;
  const erased = [];
  for (let edge = 0; edge < 4; edge++) {
    const opposite = share(line([1, 0, 3, 2][edge], 0));
    for (let at = 0; at < depth && (opposite === 0 || opposite > 0.8) && share(line(edge, at)) > 0.8; at++) {
      erased.push(...line(edge, at));
    }
  }
  erased.forEach(at => { values[at] = 0; });
}

/** The connected shapes that have a pixel which is surely ink. */
function shapesOf({ width, height, values, sure }) {
  const strip = STRIP * Math.min(width, height);
  const free = Uint8Array.from(values, value => value > 0 ? 1 : 0);
  const shapes = [];
  for (let start = 0; start < values.length; start++) {
    if (!free[start]) {
      continue;
    }
    free[start] = 0;
    const pixels = [start];
    let [left, top, right, bottom] = [width, height, 0, 0];
    let [ink, along, touches, most] = [0, 0, false, 0];
    for (let next = 0; next < pixels.length; next++) {
      const at = pixels[next];
      const [x, y] = [at % width, Math.floor(at / width)];
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
      const fromEdge = Math.min(x, y, width - 1 - x, height - 1 - y);
      ink += values[at];
      most = Math.max(most, values[at]);
      touches ||= fromEdge === 0;
      along += fromEdge < strip ? values[at] : 0;
      for (let row = Math.max(y - 1, 0); row < Math.min(y + 2, height); row++) {
        for (let column = Math.max(x - 1, 0); column < Math.min(x + 2, width); column++) {
          if (free[row * width + column]) {
            free[row * width + column] = 0;
            pixels.push(row * width + column);
          }
        }
      }
    }
    const thin = Math.min(right - left, bottom - top) < strip;
    const atEdge = touches && (along > 0.8 * ink || thin);
    if (most >= sure) {
      shapes.push({ frame: { left, top, right, bottom }, pixels, ink, atEdge });
    }
  }
  return shapes;
}

// The strokes.

const SCALE = 5;
const MARGIN = 20;
const BOLD = 2.5;

/** The digit with strokes as bold as MNIST's, as `changed`, if its own are unusual; or the `problem`. */
function measured(map, frame) {
  const size = BOX * SCALE + 2 * MARGIN;
  const axis = length => tent(length, sideOf(frame) / (BOX * SCALE), MARGIN, size);
  const canvas = weighted(map, frame, axis(frame.right - frame.left), axis(frame.bottom - frame.top));
  const width = strokeWidth(canvas) / SCALE;
  if (width > 9) {
    return { problem: "A spot is no digit." };
  }
  if (width >= 1.7 && width < 4) {
    return {};
  }
  const levels = sorted(canvas.values.filter(level => level > 0.01));
  const half = 0.5 * (levels[Math.floor(levels.length * 9 / 10)] ?? 1);
  const inked = Uint8Array.from(canvas.values, level => level >= half ? 1 : 0);
  if (width < BOLD) {
    return { changed: grown(inked, size, (BOLD - width) / 2 * SCALE) };
  }
  const paper = grown(inked.map(inked => 1 - inked), size, (width - BOLD) / 2 * SCALE);
  thin(inked, size);
  const changed = grown(inked, size, 1 / 2 * SCALE);
  changed.values.forEach((line, at) => { changed.values[at] = Math.max(line, 1 - paper.values[at]); });
  return { changed };
}

/** The strokes' width: twice the ink over the sum of the gradient's lengths. */
function strokeWidth({ width, height, values }) {
  let [ink, change] = [0, 0];
  for (let y = 0; y < height - 1; y++) {
    for (let x = 0; x < width - 1; x++) {
      const here = values[y * width + x];
      const [right, down] = [values[y * width + x + 1] - here, values[(y + 1) * width + x] - here];
      ink += here;
      change += Math.sqrt(right * right + down * down);
    }
  }
  return 2 * ink / Math.max(change, Number.MIN_VALUE);
}

/** All that is nearer to the ink than `radius`, with a soft edge. */
function grown(inked, size, radius) {
  const map = emptyMap(size, size);
  const reach = Math.ceil(radius) + 1;
  for (let at = 0; at < inked.length; at++) {
    if (!inked[at]) {
      continue;
    }
    const [x, y] = [at % size, Math.floor(at / size)];
    const inner = x > 0 && y > 0 && x < size - 1 && y < size - 1 &&
      inked[at - 1] && inked[at + 1] && inked[at - size] && inked[at + size];
    const far = inner ? 0 : reach;
    for (let row = Math.max(y - far, 0); row < Math.min(y + far + 1, size); row++) {
      for (let column = Math.max(x - far, 0); column < Math.min(x + far + 1, size); column++) {
        const distance = Math.sqrt((column - x) ** 2 + (row - y) ** 2);
        const level = clamp(radius + 0.5 - distance, 0, 1);
        map.values[row * size + column] = Math.max(map.values[row * size + column], level);
      }
    }
  }
  return map;
}

/** Takes the ink away from its edges until lines of one pixel are left. */
function thin(inked, size) {
  const steps = [-size, 1 - size, 1, size + 1, size, size - 1, -1, -size - 1];
  for (let changed = true; changed;) {
    changed = false;
    for (const sides of [[[0, 2, 4], [2, 4, 6]], [[0, 2, 6], [0, 4, 6]]]) {
      const spare = [];
      for (let at = 0; at < inked.length; at++) {
        if (inked[at]) {
          const near = steps.map(step => inked[at + step]);
          const count = near.reduce((sum, inked) => sum + inked, 0);
          const ends = near.filter((inked, index) => !inked && near[(index + 1) % 8]).length;
          if (count >= 2 && count <= 6 && ends === 1 && sides.every(sides => sides.some(side => !near[side]))) {
            spare.push(at);
          }
        }
      }
      spare.forEach(at => { inked[at] = 0; });
      changed ||= spare.length > 0;
    }
  }
}

/** The digit scaled into the box, on 28 x 28 pixels, moved by whole pixels so that its centre of mass comes to the middle. */
function place(map, frame) {
  const axis = length => cover(length, sideOf(frame) / BOX, BOX);
  const small = weighted(map, frame, axis(frame.right - frame.left), axis(frame.bottom - frame.top)).values;
  let [mass, x, y] = [0, 0, 0];
  small.forEach((level, at) => {
    mass += level;
    x += level * (at % BOX);
    y += level * Math.floor(at / BOX);
  });
  const [right, down] = [Math.floor(SIDE / 2 - x / mass + 0.5), Math.floor(SIDE / 2 - y / mass + 0.5)];
  const pixels = new Float32Array(SIDE * SIDE);
  small.forEach((level, at) => {
    const [column, row] = [(at % BOX) + right, Math.floor(at / BOX) + down];
    // A lopsided drawing may reach beyond the edge.
    if (column >= 0 && column < SIDE && row >= 0 && row < SIDE) {
      pixels[row * SIDE + column] = Math.min(level, 1);
    }
  });
  return pixels;
}
