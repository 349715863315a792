// From a drawing to what MNIST would have made of it: the ink scaled into a box of 20 x 20 pixels, and its centre of
// mass put on the middle of 28 x 28 pixels (http://yann.lecun.com/exdb/mnist as of 1998 describes it so).

const SIDE = 28;
const BOX = 20;
/** Fainter than this is no ink when the drawing's edges are looked for; MNIST's own grey edges are ink. */
const FAINT = 0.1;

/**
 * The 28 x 28 grey levels, from 0 to 1, of `ink`: grey levels from 0 to 1, `width` in a row. Null without ink.
 *
 * Each pixel is the mean of the area that it covers, so that edges are grey and not jagged.
 */
function likeMnist(ink, width) {
  const box = boundingBox(ink, width);
  if (!box) {
    return null;
  }
  const step = Math.max(box.right - box.left, box.bottom - box.top) / BOX;
  const narrow = areaMeans(ink, width, box, step);
  return centred(narrow);
}

/** The smallest rectangle around the ink; `right` and `bottom` lie just outside of it. */
function boundingBox(ink, width) {
  let [left, top, right, bottom] = [Infinity, Infinity, 0, 0];
  ink.forEach((level, index) => {
    if (level > FAINT) {
      const [x, y] = [index % width, Math.floor(index / width)];
      [left, top] = [Math.min(left, x), Math.min(top, y)];
      [right, bottom] = [Math.max(right, x + 1), Math.max(bottom, y + 1)];
    }
  });
  return right ? { left, top, right, bottom } : null;
}

/** BOX x BOX pixels, each the mean of `step` x `step` points, with the rectangle in the upper left corner. */
function areaMeans(ink, width, { left, top, right, bottom }, step) {
  const small = new Float32Array(BOX * BOX);
  const columns = shares(right - left, step);
  shares(bottom - top, step).forEach((row, y) => {
    for (const [down, height] of row) {
      columns.forEach((column, x) => {
        for (const [across, breadth] of column) {
          small[y * BOX + x] += height * breadth * ink[(top + down) * width + left + across];
        }
      });
    }
  });
  return small;
}

/** For each of BOX pixels along an axis, which of `length` points it covers, and the share of the pixel they fill. */
function shares(length, step) {
  return Array.from({ length: BOX }, (_, pixel) => {
    const [from, to] = [pixel * step, Math.min((pixel + 1) * step, length)];
    const covered = [];
    for (let point = Math.floor(from); point < to; point++) {
      covered.push([point, (Math.min(point + 1, to) - Math.max(point, from)) / step]);
    }
    return covered;
  });
}

/** The small picture on 28 x 28 pixels, moved by whole pixels so that its centre of mass comes to the middle. */
function centred(small) {
  let [mass, x, y] = [0, 0, 0];
  small.forEach((level, index) => {
    mass += level;
    x += level * (index % BOX);
    y += level * Math.floor(index / BOX);
  });
  // A drawing at the box's edge may be heavy on one side; it stays on the page.
  const shift = mean => Math.min(Math.max(Math.round(SIDE / 2 - mean), 0), SIDE - BOX);
  const [right, down] = [shift(x / mass), shift(y / mass)];
  const pixels = new Float32Array(SIDE * SIDE);
  small.forEach((level, index) => {
    pixels[(Math.floor(index / BOX) + down) * SIDE + (index % BOX) + right] = Math.min(level, 1);
  });
  return pixels;
}
