// Points and boxes in pixels of the oriented image. A box is [left, top, right, bottom].

/** @typedef {{x: number, y: number}} Point */
/** @typedef {[number, number, number, number]} Rect */
/** @typedef {{width: number, height: number}} Size */
/**
 * A part of a box that a pointer moves: 0 for the low side, 1 for the high side, null for neither.
 * @typedef {{x: 0|1|null, y: 0|1|null}} Handle
 */

export const MIN_SIDE = 2;

/** The eight handles of a box: corners first, because they win where a box is small.
 * @type {Handle[]} */
export const HANDLES = [
  { x: 0, y: 0 }, { x: 1, y: 0 }, { x: 0, y: 1 }, { x: 1, y: 1 },
  { x: null, y: 0 }, { x: null, y: 1 }, { x: 0, y: null }, { x: 1, y: null },
];

/** @param {number} value @param {number} low @param {number} high */
export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** The smallest box around points: two corners, or an object's four extreme points.
 * @param {Point[]} points @returns {Rect} */
export function around(points) {
  const xs = points.map((point) => point.x);
  const ys = points.map((point) => point.y);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** A box on whole pixels inside the image.
 * @param {Rect} box @param {Size} size @returns {Rect} */
export function snapped([left, top, right, bottom], { width, height }) {
  return [
    clamp(Math.round(left), 0, width), clamp(Math.round(top), 0, height),
    clamp(Math.round(right), 0, width), clamp(Math.round(bottom), 0, height),
  ];
}

/** @param {Rect} box */
export const isLarge = ([left, top, right, bottom]) =>
  right - left >= MIN_SIDE && bottom - top >= MIN_SIDE;

/** @param {Rect} box */
export const area = ([left, top, right, bottom]) => (right - left) * (bottom - top);

/** Intersection over union of two boxes.
 * @param {Rect} a @param {Rect} b */
export function iou(a, b) {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / (area(a) + area(b) - width * height);
}

/** A box that was moved as a whole; it stays inside the image.
 * @param {Rect} box @param {number} dx @param {number} dy @param {Size} size @returns {Rect} */
export function moved([left, top, right, bottom], dx, dy, { width, height }) {
  const x = clamp(dx, -left, width - right);
  const y = clamp(dy, -top, height - bottom);
  return [left + x, top + y, right + x, bottom + y];
}

/** A box one of whose handles was moved by (dx, dy). Sides do not cross and stay inside the image.
 * @param {Rect} box @param {Handle} handle @param {number} dx @param {number} dy @param {Size} size
 * @returns {Rect} */
export function resized([left, top, right, bottom], handle, dx, dy, { width, height }) {
  const [x1, x2] = side(left, right, handle.x, dx, width);
  const [y1, y2] = side(top, bottom, handle.y, dy, height);
  return [x1, y1, x2, y2];
}

/** @param {number} low @param {number} high @param {0|1|null} end @param {number} by
 * @param {number} limit @returns {[number, number]} */
function side(low, high, end, by, limit) {
  if (end === 0) return [clamp(low + by, 0, Math.max(high - MIN_SIDE, 0)), high];
  if (end === 1) return [low, clamp(high + by, Math.min(low + MIN_SIDE, limit), limit)];
  return [low, high];
}

/** Where a handle of a box is.
 * @param {Rect} box @param {Handle} handle @returns {Point} */
export function handlePoint([left, top, right, bottom], handle) {
  const at = (/** @type {0|1|null} */ end, /** @type {number} */ low, /** @type {number} */ high) =>
    end === null ? (low + high) / 2 : end ? high : low;
  return { x: at(handle.x, left, right), y: at(handle.y, top, bottom) };
}

/** The handle of a box at a point, sides included; null if none is within `reach`.
 * @param {Rect} box @param {Point} point @param {number} reach @returns {Handle|null} */
export function handleAt(box, point, reach) {
  const [left, top, right, bottom] = box;
  const near = (/** @type {number} */ a, /** @type {number} */ b) => Math.abs(a - b) <= reach;
  if (point.x < left - reach || point.x > right + reach) return null;
  if (point.y < top - reach || point.y > bottom + reach) return null;
  const x = closer(point.x, left, right, near);
  const y = closer(point.y, top, bottom, near);
  return x === null && y === null ? null : { x, y };
}

/** @param {number} value @param {number} low @param {number} high
 * @param {(a: number, b: number) => boolean} near @returns {0|1|null} */
function closer(value, low, high, near) {
  const end = Math.abs(value - low) < Math.abs(value - high) ? 0 : 1;
  // The middle half moves the box, also where the box is smaller than the reach.
  if (Math.abs(value - (low + high) / 2) < (high - low) / 4) return null;
  return near(value, end ? high : low) ? end : null;
}

/** @param {Rect} box @param {Point} point */
const contains = ([left, top, right, bottom], { x, y }) =>
  x >= left && x <= right && y >= top && y <= bottom;

/** The smallest of the boxes that contain a point: a small object in front of a large one wins.
 * @template {{box: Rect}} T
 * @param {T[]} items @param {Point} point @returns {T|null} */
export function smallestAt(items, point) {
  const there = items.filter(({ box }) => contains(box, point));
  return there.reduce(
    (best, item) => (best === null || area(item.box) < area(best.box) ? item : best),
    /** @type {T|null} */ (null),
  );
}
