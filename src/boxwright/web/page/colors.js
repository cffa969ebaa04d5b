// The color of each class: the same in the list, on the image, and in pictures of reports.

// Okabe & Ito 2008, which most color-blind people can tell apart; visualize/draw.py has the same.
export const PALETTE = [
  [86, 180, 233], [230, 159, 0], [0, 158, 115], [240, 228, 66], [213, 94, 0], [204, 121, 167],
  [0, 114, 178],
];
const SHADES = [[0, 0], [255, 0.55], [0, 0.45]]; // toward white or black, and how far

/** @param {number} label the position of the class */
export function colorOf(label) {
  const [toward, share] = SHADES[Math.floor(label / PALETTE.length) % SHADES.length];
  const base = PALETTE[label % PALETTE.length];
  // As Python rounds: the one half among them down.
  return `rgb(${base.map((value) => Math.round(value + (toward - value) * share - 1e-6)).join(" ")})`;
}
