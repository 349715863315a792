// From a drawing to what MNIST would have made of it: the ink scaled into a box of 20 x 20 pixels, and its centre of
// mass put on the middle of 28 x 28 pixels (LeCun, Bottou, Bengio and Haffner 1998, section III.A).

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
  return centred(areaMeans(ink, width, box, step));
}

/** The smallest rectangle around the ink; `right` and `bottom` lie just outside of it. */
function boundingBox(ink, width) {
  let [left, top, right, bottom] = [width, -1, 0, 0];
  for (let at = 0, y = 0; at < ink.length; y++) {
    for (let x = 0; x < width; x++, at++) {
      if (ink[at] > FAINT) {
        left = x < left ? x : left;
        right = x < right ? right : x + 1;
        top = top < 0 ? y : top;
        bottom = y + 1;
      }
    }
  }
  return top < 0 ? null : { left, top, right, bottom };
}

/** BOX x BOX pixels, each the mean of `step` x `step` points, with the rectangle in the upper left corner. */
function areaMeans(ink, width, { left, top, right, bottom }, step) {
  const small = new Float32Array(BOX * BOX);
  const columns = shares(right - left, step);
  shares(bottom - top, step).forEach((row, y) => {
    columns.forEach((column, x) => {
      let sum = 0;
      for (const { point: down, share: height } of row) {
        const from = (top + down) * width + left;
        for (const { point: across, share: breadth } of column) {
          sum += height * breadth * ink[from + across];
        }
      }
      small[y * BOX + x] = sum;
    });
  });
  return small;
}

/** For each of BOX pixels along an axis, which of `length` points it covers, and the share of the pixel they fill. */
function shares(length, step) {
  return Array.from({ length: BOX }, (_, pixel) => {
    const [from, to] = [pixel * step, Math.min((pixel + 1) * step, length)];
    const covered = [];
    for (let point = Math.floor(from); point < to; point++) {
      covered.push({ point, share: (Math.min(point + 1, to) - Math.max(point, from)) / step });
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
  const [right, down] = [Math.round(SIDE / 2 - x / mass), Math.round(SIDE / 2 - y / mass)];
  const pixels = new Float32Array(SIDE * SIDE);
  small.forEach((level, index) => {
    const [column, row] = [(index % BOX) + right, Math.floor(index / BOX) + down];
    // A lopsided drawing may reach beyond the edge.
    if (level > 0 && column >= 0 && column < SIDE && row >= 0 && row < SIDE) {
      pixels[row * SIDE + column] = Math.min(level, 1);
    }
  });
  return pixels;
}
