// Charts as SVG: the quality line and curves of a training. They have words for screen readers.

import { svg } from "../../web/page/dom.js";

/** @typedef {[number, number]} Pair */
/**
 * @typedef {object} Line
 * @property {string} name
 * @property {Pair[]} points
 * @property {[number, number, number][]} [band] x, low, high
 */
/**
 * @typedef {object} Chart
 * @property {string} title
 * @property {string} x what the axis shows
 * @property {Line[]} lines
 * @property {Pair} [range] of the vertical axis; from the points if it is not given
 * @property {number} [height]
 */

const WIDTH = 320;
const LEFT = 38;
const RIGHT = 10;
const TOP = 10;
const BOTTOM = 34;

/** Steps of 1, 2 or 5 times a power of ten, at most `count` of them.
 * @param {number} low @param {number} high @param {number} count @returns {number[]} */
export function ticks(low, high, count) {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((each) => each * power >= rough * (1 - 1e-9)) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** @param {Pair} domain @param {Pair} range @returns {(value: number) => number} */
export const scale = ([low, high], [start, end]) => (value) =>
  high > low ? start + ((value - low) / (high - low)) * (end - start) : (start + end) / 2;

/** @param {number[]} values @returns {Pair} */
const extent = (values) => [Math.min(...values), Math.max(...values)];

/** @param {Pair[]} points @param {(x: number) => number} x @param {(y: number) => number} y */
export const path = (points, x, y) =>
  points.map(([a, b], i) => `${i ? "L" : "M"}${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join("");

/** @param {Chart} chart @returns {SVGSVGElement|null} null without a point */
export function drawn({ title, x: xName, lines, range, height = 170 }) {
  const known = lines.map((line) => ({ ...line, points: line.points.filter((each) => each.every(Number.isFinite)) }));
  const points = known.flatMap((line) => line.points);
  if (!points.length) return null;
  const across = extent(points.map(([each]) => each));
  const up = range ?? extent([...points.map(([, each]) => each), 0]);
  const x = scale(across, [LEFT, WIDTH - RIGHT]);
  const y = scale(up, [height - BOTTOM, TOP]);
  const chart = svg("svg", {
    viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": `${title}. ${inWords(known, xName)}`,
    class: "chart",
  });
  for (const tick of ticks(up[0], up[1], 4)) {
    chart.append(svg("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick) }));
    chart.append(svg("text", { x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end" }, short(tick)));
  }
  for (const tick of ticks(across[0], across[1], 5))
    chart.append(svg("text", { x: x(tick), y: height - BOTTOM + 15, "text-anchor": "middle" }, short(tick)));
  chart.append(svg("text", { x: WIDTH - RIGHT, y: height - 4, "text-anchor": "end" }, xName));
  known.forEach((line, i) => {
    if (line.band?.length) chart.append(svg("path", { class: `band c${i}`, d: ribbon(line.band, x, y) }));
    chart.append(svg("path", { class: `line c${i}`, d: path(line.points, x, y) }));
    const last = line.points.at(-1);
    if (last) chart.append(svg("circle", { class: `dot c${i}`, cx: x(last[0]), cy: y(last[1]), r: 3.5 }));
  });
  return /** @type {SVGSVGElement} */ (chart);
}

/** @param {[number, number, number][]} band @param {(x: number) => number} x
 * @param {(y: number) => number} y */
function ribbon(band, x, y) {
  const top = band.map(([at, , high]) => /** @type {Pair} */ ([at, high]));
  const bottom = band.map(([at, low]) => /** @type {Pair} */ ([at, low])).reverse();
  return `${path([...top, ...bottom], x, y)}Z`;
}

/** @param {number} value */
const short = (value) =>
  (Math.abs(value) >= 1000 ? `${Number((value / 1000).toPrecision(3))}k` : String(value));

/** @param {Line[]} lines @param {string} xName */
const inWords = (lines, xName) => lines.filter(({ points }) => points.length).map(({ name, points }) => {
  const [at, value] = /** @type {Pair} */ (points.at(-1));
  return `${name}: ${Number(value.toPrecision(3))} at ${short(at)} ${xName}`;
}).join("; ");
