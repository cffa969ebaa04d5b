// Paints boxes, proposals and cross lines on the canvas over the image.

import { HANDLES, handlePoint } from "./geometry.js";
import { toScreen } from "./view.js";

/** @typedef {import("./geometry.js").Rect} Rect */
/** @typedef {import("./view.js").View} View */
/**
 * @typedef {object} Scene
 * @property {import("./edit.js").Editor} editor
 * @property {import("./gestures.js").Gestures} gestures
 * @property {(label: string) => string} color
 * @property {Rect[]} marked boxes that a finding speaks of
 */

const RIM = "rgb(0 0 0 / 65%)";
const HANDLE = 9;

/** @param {CanvasRenderingContext2D} context @param {View} view
 * @param {import("./geometry.js").Size} window @param {Scene} scene */
export function paint(context, view, window, scene) {
  const { editor, gestures, color, marked } = scene;
  context.clearRect(0, 0, window.width, window.height);
  context.font = "600 12px system-ui, sans-serif";
  context.lineJoin = "round";
  const { drag } = gestures;
  const rectOf = (/** @type {{key: string, box: Rect}} */ { key, box }) =>
    onScreen(view, drag && drag.key === key ? drag.rect : box);
  for (const each of editor.hidden ? [] : editor.proposals)
    outline(context, rectOf(each), color(each.label), { dashed: true, wide: each.key === editor.selected,
      tag: `${each.label} ${Math.round(100 * each.score)} %` });
  for (const each of editor.hidden ? [] : editor.boxes.filter(({ key }) => key !== editor.selected))
    outline(context, rectOf(each), color(each.label), { tag: tagOf(each, editor), faded: each.difficult });
  for (const box of marked) mark(context, onScreen(view, box));
  const selected = editor.box;
  if (selected) {
    const rect = rectOf(selected);
    outline(context, rect, color(selected.label), { wide: true, filled: true, tag: tagOf(selected, editor) });
    if (!editor.readOnly && !editor.locked.has(selected.key)) handles(context, rect);
  }
  unfinished(context, view, window, scene);
}

/** What is being drawn.
 * @param {CanvasRenderingContext2D} context @param {View} view
 * @param {import("./geometry.js").Size} window @param {Scene} scene */
function unfinished(context, view, window, { editor, gestures, color }) {
  const rect = editor.draft ?? gestures.outline;
  const style = editor.label ? color(editor.label) : "#fff";
  if (rect) outline(context, onScreen(view, rect), style, { wide: true, filled: true });
  if (gestures.tool !== "select" && gestures.cursor)
    cross(context, toScreen(view, gestures.cursor), window);
  for (const point of gestures.points) dot(context, toScreen(view, point));
}

/** @param {View} view @param {Rect} box @returns {Rect} */
function onScreen(view, [left, top, right, bottom]) {
  const low = toScreen(view, { x: left, y: top });
  const high = toScreen(view, { x: right, y: bottom });
  return [low.x, low.y, high.x, high.y];
}

/** @param {import("./edit.js").Box} box @param {import("./edit.js").Editor} editor */
function tagOf(box, editor) {
  const notes = [
    box.difficult && "difficult", box.truncated && "truncated", box.occluded && "occluded",
    box.crowd && "crowd", editor.locked.has(box.key) && "locked",
  ].filter(Boolean);
  return [box.label, ...notes].join(" · ");
}

/** @param {CanvasRenderingContext2D} context @param {Rect} rect @param {string} color
 * @param {{dashed?: boolean, wide?: boolean, filled?: boolean, faded?: boolean, tag?: string}} options */
function outline(context, [left, top, right, bottom], color, { dashed, wide, filled, faded, tag }) {
  const [width, height] = [right - left, bottom - top];
  context.globalAlpha = faded ? 0.6 : 1;
  if (filled) {
    context.fillStyle = color;
    context.globalAlpha = 0.16;
    context.fillRect(left, top, width, height);
    context.globalAlpha = 1;
  }
  context.setLineDash(dashed ? [7, 5] : []);
  context.strokeStyle = RIM;
  context.lineWidth = wide ? 5 : 4;
  context.strokeRect(left, top, width, height);
  context.strokeStyle = color;
  context.lineWidth = wide ? 3 : 2;
  context.strokeRect(left, top, width, height);
  context.setLineDash([]);
  if (tag && (width > 24 || wide)) caption(context, left, top, color, tag);
  context.globalAlpha = 1;
}

/** @param {CanvasRenderingContext2D} context @param {number} left @param {number} top
 * @param {string} color @param {string} tag */
function caption(context, left, top, color, tag) {
  const text = tag.length > 40 ? `${tag.slice(0, 39)}…` : tag;
  const width = context.measureText(text).width + 10;
  const y = top >= 18 ? top - 18 : top;
  context.fillStyle = color;
  context.fillRect(left - 1, y, width, 18);
  context.fillStyle = isLight(color) ? "#10141c" : "#fff";
  context.fillText(text, left + 4, y + 13);
}

/** @param {string} color */
function isLight(color) {
  const [red, green, blue] = (color.match(/\d+/g) ?? ["0", "0", "0"]).map(Number);
  return 0.299 * red + 0.587 * green + 0.114 * blue > 125;
}

/** @param {CanvasRenderingContext2D} context @param {Rect} rect */
function handles(context, rect) {
  context.fillStyle = "#fff";
  context.strokeStyle = RIM;
  context.lineWidth = 1;
  for (const handle of HANDLES) {
    const { x, y } = handlePoint(rect, handle);
    context.fillRect(x - HANDLE / 2, y - HANDLE / 2, HANDLE, HANDLE);
    context.strokeRect(x - HANDLE / 2, y - HANDLE / 2, HANDLE, HANDLE);
  }
}

/** @param {CanvasRenderingContext2D} context @param {Rect} rect */
function mark(context, [left, top, right, bottom]) {
  for (const [style, width] of /** @type {[string, number][]} */ ([[RIM, 7], ["#ff4d8d", 4]])) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.setLineDash([3, 6]);
    context.strokeRect(left - 5, top - 5, right - left + 10, bottom - top + 10);
  }
  context.setLineDash([]);
}

/** @param {CanvasRenderingContext2D} context @param {import("./geometry.js").Point} at
 * @param {import("./geometry.js").Size} window */
function cross(context, at, window) {
  for (const [style, width] of /** @type {[string, number][]} */ ([[RIM, 3], ["#fff", 1]])) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(0, at.y);
    context.lineTo(window.width, at.y);
    context.moveTo(at.x, 0);
    context.lineTo(at.x, window.height);
    context.stroke();
  }
}

/** @param {CanvasRenderingContext2D} context @param {import("./geometry.js").Point} at */
function dot(context, at) {
  context.beginPath();
  context.arc(at.x, at.y, 5, 0, 2 * Math.PI);
  context.fillStyle = "#fff";
  context.fill();
  context.strokeStyle = RIM;
  context.lineWidth = 2;
  context.stroke();
}
