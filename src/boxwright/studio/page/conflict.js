// The labels of an image were changed by another program while they were edited here.

import { ask, h, some } from "../../web/page/dom.js";

/** @typedef {import("./store.js").Edit} Edit */
/** @typedef {import("./edit.js").ImageLabels} ImageLabels */

const SIDE = 340;

/** Show both versions, and ask which one to keep.
 * @param {Edit} mine @param {ImageLabels} theirs @param {HTMLImageElement|null} picture
 * @param {(label: string) => string} color @returns {Promise<import("./store.js").Choice>} */
export async function settle(mine, theirs, picture, color) {
  const answer = await ask("Another program changed these labels",
    [
      h("p", {}, `Both versions of ${theirs.name} are here. The other one stays in the history: undo brings it back.`),
      h("div", { className: "versions" },
        version("Yours", mine.boxes, theirs, picture, color),
        version("The other program's", theirs.boxes, theirs, picture, color)),
    ],
    [
      { label: "Keep both", value: "both", main: true },
      { label: "Keep yours", value: "mine" },
      { label: "Keep the other", value: "theirs" },
    ]);
  return answer === "mine" || answer === "theirs" ? answer : "both";
}

/** @param {string} title @param {import("./edit.js").Box[]} boxes @param {ImageLabels} image
 * @param {HTMLImageElement|null} picture @param {(label: string) => string} color */
function version(title, boxes, image, picture, color) {
  const scale = SIDE / Math.max(image.width, image.height);
  const objects = boxes.map(({ label, box }) => `${label} at ${box.map(Math.round).join(", ")}`);
  const canvas = h("canvas", { width: image.width * scale, height: image.height * scale, role: "img",
    aria: { label: `${title}: ${objects.join("; ")}` } });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  if (picture) context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  context.lineWidth = 2;
  for (const { box: [left, top, right, bottom], label } of boxes) {
    context.strokeStyle = color(label);
    context.strokeRect(left * scale, top * scale, (right - left) * scale, (bottom - top) * scale);
  }
  return h("figure", {}, canvas, h("figcaption", {}, `${title}: ${some(boxes.length, "box", "boxes")}`));
}
