"use strict";
// Numbers as soilfuse.report.map_data packs them.
const MISSING = -32768;

function inflated(packed) {
  const text = atob(packed);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate")));
}

// Steps come as differences along the last two axes, low bytes first, then high ones.
async function unpack({ data, scale, shape }) {
  const bytes = new Uint8Array(await inflated(data).arrayBuffer());
  const [rows, columns] = shape.slice(-2);
  const steps = new Int16Array(bytes.length / 2);
  for (let i = 0, sum = 0; i < steps.length; i++) {
    if (i % columns === 0) sum = 0;
    sum += bytes[i] + 256 * bytes[steps.length + i];
    steps[i] = sum + (i % (rows * columns) < columns ? 0 : steps[i - columns]);
  }
  return { steps, scale, shape };
}

const start = (array, index) => index.reduce((sum, one, i) => (sum + one) * array.shape[i + 1], 0);
const valued = (array, step) => (step === MISSING ? NaN : step * array.scale);
const value = (array, cell, ...index) => valued(array, array.steps[start(array, index) + cell]);
