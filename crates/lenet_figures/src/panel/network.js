// The network, forward only. A picture is {shape: [channels, rows, columns], values}; so is what each layer makes of it.

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

/** Ten probabilities for the 28 x 28 grey levels from 0 (black) to 1 (white), row by row. */
function forward(network, pixels) {
  let x = { shape: [1, SIDE, SIDE], values: Float32Array.from(pixels) };
  for (const layer of network) {
    x = LAYERS[layer.kind](layer, x);
    if (layer.tanh) {
      x.values = x.values.map(Math.tanh);
    }
  }
  return softmax(x.values);
}

const LAYERS = {
  // A valid convolution: no padding, stride 1.
  Conv2D({ inputs, outputs, kernel, weight, bias }, { shape: [, rows, columns], values }) {
    const [height, width] = [rows - kernel + 1, columns - kernel + 1];
    const y = new Float32Array(outputs * height * width);
    let at = 0;
    for (let output = 0; output < outputs; output++) {
      for (let row = 0; row < height; row++) {
        for (let column = 0; column < width; column++) {
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
          y[at++] = sum;
        }
      }
    }
    return { shape: [outputs, height, width], values: y };
  },

  // The mean of each window; windows touch and don't overlap.
  AvgPool2D({ kernel }, { shape: [channels, rows, columns], values }) {
    const [height, width] = [Math.floor(rows / kernel), Math.floor(columns / kernel)];
    const y = new Float32Array(channels * height * width);
    let at = 0;
    for (let channel = 0; channel < channels; channel++) {
      for (let row = 0; row < height; row++) {
        for (let column = 0; column < width; column++) {
          let sum = 0;
          for (let u = 0; u < kernel; u++) {
            for (let v = 0; v < kernel; v++) {
              sum += values[(channel * rows + row * kernel + u) * columns + column * kernel + v];
            }
          }
          y[at++] = sum / (kernel * kernel);
        }
      }
    }
    return { shape: [channels, height, width], values: y };
  },

  Flatten(_, { values }) {
    return { shape: [values.length], values };
  },

  Linear({ inputs, outputs, weight, bias }, { values }) {
    const y = new Float32Array(outputs);
    for (let output = 0; output < outputs; output++) {
      let sum = bias[output];
      for (let input = 0; input < inputs; input++) {
        sum += weight[output * inputs + input] * values[input];
      }
      y[output] = sum;
    }
    return { shape: [outputs], values: y };
  },
};

function softmax(logits) {
  // Without the largest, a large logit would overflow.
  const largest = Math.max(...logits);
  const powers = Array.from(logits, logit => Math.exp(logit - largest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map(power => power / sum);
}
