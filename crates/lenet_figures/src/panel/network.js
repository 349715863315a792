// The network, forward only. A picture is {shape: [channels, rows, columns], values}; so is what each layer makes of it.
// A vector is {shape: [values, 1, 1], values}.

/** The layers, each with its weights and biases, from what the notebook wrote into the page. */
function readNetwork({ layers, weights }) {
  const bytes = Uint8Array.from(atob(weights), letter => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  let read = 0;
  const take = count => {
    const littleEndian = true;
    return Float32Array.from({ length: count }, () => view.getFloat32(4 * read++, littleEndian));
  };
  return layers.map(layer => {
    const count = { Conv2D: layer.inputs * layer.outputs * layer.kernel ** 2, Linear: layer.inputs * layer.outputs };
    const weight = take(count[layer.kind] ?? 0);
    return { ...layer, weight, bias: take(weight.length ? layer.outputs : 0) };
  });
}

/** What becomes of the 28 x 28 grey levels from 0 (black) to 1 (white), row by row: the image, then what each layer makes of it. */
function trace(network, pixels) {
  const made = [{ shape: [1, SIDE, SIDE], values: Float32Array.from(pixels) }];
  network.forEach(layer => made.push(LAYERS[layer.kind](layer, made.at(-1))));
  return made;
}

/** The classes' probabilities. */
const forward = (network, pixels) => softmax(trace(network, pixels).at(-1).values);

/** The same layers as if they had learned nothing: Glorot's uniform weights, which are small and random, and no biases. */
function untrained(network) {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return network.map(layer => {
    const limit = Math.sqrt(6 / (layer.inputs + layer.outputs)) / (layer.kernel ?? 1);
    const weight = layer.weight.map(() => (2 * random() - 1) * limit);
    return { ...layer, weight, bias: layer.bias.map(() => 0) };
  });
}

/** Maps of a shape, each value made from its channel, row and column. */
function maps([channels, rows, columns], value) {
  const values = new Float32Array(channels * rows * columns);
  let at = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        values[at++] = value(channel, row, column);
      }
    }
  }
  return { shape: [channels, rows, columns], values };
}

/** Maps made from windows of `size` x `size` values that touch and don't overlap: all are folded, then finished. */
function pool(size, { shape: [channels, rows, columns], values }, start, fold, finish) {
  return maps([channels, Math.floor(rows / size), Math.floor(columns / size)], (channel, row, column) => {
    let folded = start;
    for (let u = 0; u < size; u++) {
      for (let v = 0; v < size; v++) {
        folded = fold(folded, values[(channel * rows + row * size + u) * columns + column * size + v]);
      }
    }
    return finish(folded);
  });
}

/** A function of each value. */
const each = f => (_, { shape, values }) => ({ shape, values: values.map(f) });

const LAYERS = {
  // A valid convolution: no padding, stride 1.
  Conv2D({ inputs, outputs, kernel, weight, bias }, { shape: [, rows, columns], values }) {
    return maps([outputs, rows - kernel + 1, columns - kernel + 1], (output, row, column) => {
      let sum = bias[output];
      let tap = output * inputs * kernel * kernel;
      for (let input = 0; input < inputs; input++) {
        for (let u = 0; u < kernel; u++) {
          const from = (input * rows + row + u) * columns + column;
          for (let v = 0; v < kernel; v++) {
            sum += weight[tap++] * values[from + v];
          }
        }
      }
      return sum;
    });
  },

  AvgPool2D: ({ size }, x) => pool(size, x, 0, (sum, value) => sum + value, sum => sum / (size * size)),

  MaxPool2D: ({ size }, x) => pool(size, x, -Infinity, Math.max, largest => largest),

  ZeroPad2D({ size }, { shape: [channels, rows, columns], values }) {
    return maps([channels, rows + 2 * size, columns + 2 * size], (channel, row, column) => {
      const [y, x] = [row - size, column - size];
      const inside = y >= 0 && y < rows && x >= 0 && x < columns;
      return inside ? values[(channel * rows + y) * columns + x] : 0;
    });
  },

  Flatten: (_, { values }) => ({ shape: [values.length, 1, 1], values }),

  Linear({ inputs, outputs, weight, bias }, { values }) {
    return maps([outputs, 1, 1], output => {
      let sum = bias[output];
      for (let input = 0; input < inputs; input++) {
        sum += weight[output * inputs + input] * values[input];
      }
      return sum;
    });
  },

  // Only training drops values.
  Dropout: (_, x) => x,
  Tanh: each(Math.tanh),
  ReLU: each(x => Math.max(x, 0)),
  Sigmoid: each(x => 1 / (1 + Math.exp(-x))),
};

function softmax(logits) {
  // Without the largest, a large logit would overflow.
  const largest = Math.max(...logits);
  const powers = Array.from(logits, logit => Math.exp(logit - largest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map(power => power / sum);
}
