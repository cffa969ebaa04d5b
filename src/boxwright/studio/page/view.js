// How the image lies in the window: screen = image * scale + offset. All functions are pure.

import { clamp } from "./geometry.js";

/** @typedef {import("./geometry.js").Point} Point */
/** @typedef {import("./geometry.js").Size} Size */
/** @typedef {{scale: number, x: number, y: number}} View */

export const MAX_SCALE = 40;
const MARGIN = 16; // screen pixels around a fitted image
const TOP = 56; // above it, where signs are
const KEPT = 60; // screen pixels of the image that stay in the window

/** The whole image in the middle of the window, below the signs; a small one is enlarged up to 4
 * times.
 * @param {Size} image @param {Size} window @returns {View} */
export function fit(image, window) {
  const scale = clamp(
    Math.min((window.width - 2 * MARGIN) / image.width, (window.height - TOP - MARGIN) / image.height),
    1e-3, 4,
  );
  const { x, y } = centered(scale, image, window);
  return { scale, x, y: Math.max(y, TOP) };
}

/** @param {number} scale @param {Size} image @param {Size} window @returns {View} */
export const centered = (scale, image, window) => ({
  scale,
  x: (window.width - image.width * scale) / 2,
  y: (window.height - image.height * scale) / 2,
});

/** @param {View} view @param {Point} point @returns {Point} */
export const toImage = (view, point) => ({
  x: (point.x - view.x) / view.scale,
  y: (point.y - view.y) / view.scale,
});

/** @param {View} view @param {Point} point @returns {Point} */
export const toScreen = (view, point) => ({
  x: point.x * view.scale + view.x,
  y: point.y * view.scale + view.y,
});

/** Enlarge by a factor; the image point at `anchor` (screen pixels) stays where it is.
 * @param {View} view @param {number} factor @param {Point} anchor @param {Size} image
 * @param {Size} window @returns {View} */
export function zoomed(view, factor, anchor, image, window) {
  const smallest = Math.min(fit(image, window).scale, 1) / 2;
  const scale = clamp(view.scale * factor, smallest, MAX_SCALE);
  const ratio = scale / view.scale;
  return kept({
    scale,
    x: anchor.x - (anchor.x - view.x) * ratio,
    y: anchor.y - (anchor.y - view.y) * ratio,
  }, image, window);
}

/** @param {View} view @param {number} dx @param {number} dy @param {Size} image
 * @param {Size} window @returns {View} */
export const panned = (view, dx, dy, image, window) =>
  kept({ ...view, x: view.x + dx, y: view.y + dy }, image, window);

/** A part of the image stays in the window.
 * @param {View} view @param {Size} image @param {Size} window @returns {View} */
export function kept(view, image, window) {
  return {
    scale: view.scale,
    x: clamp(view.x, KEPT - image.width * view.scale, window.width - KEPT),
    y: clamp(view.y, KEPT - image.height * view.scale, window.height - KEPT),
  };
}

/** The factor of one event of a wheel or trackpad.
 * @param {{deltaY: number, deltaMode: number, ctrlKey: boolean}} event */
export function wheelFactor({ deltaY, deltaMode, ctrlKey }) {
  const pixels = deltaY * (deltaMode === 1 ? 33 : deltaMode === 2 ? 400 : 1);
  // A pinch on a trackpad arrives as a wheel with Ctrl and small steps.
  return Math.exp(clamp(-pixels * (ctrlKey ? 0.01 : 0.002), -0.5, 0.5));
}
