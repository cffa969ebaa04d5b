// A place to drop an image, which shows what a detector finds in it.

import { fill, h, some } from "./dom.js";

/** @typedef {{box: number[], label: string, score: number}} Detection */
/** @typedef {{width: number, height: number, boxes: Detection[], command: string}} Detections */

/** Let a user drop or choose images.
 * @param {HTMLElement} element with inputs for a file and for the least score, and a place for output
 * @param {(file: File) => Promise<Detections>} detect rejects with a message and a remedy
 * @param {(label: string) => string} color */
export function tryImages(element, detect, color) {
  const input = /** @type {HTMLInputElement} */ (element.querySelector("input[type=file]"));
  const output = /** @type {HTMLElement} */ (element.querySelector(".output"));
  const threshold = /** @type {HTMLInputElement} */ (element.querySelector("input[type=range]"));
  const command = h("pre", { hidden: true, tabIndex: 0, aria: { label: "The command line that this is" } });
  const said = h("p", { role: "status" });
  const figure = h("div", { className: "tried" });
  output.append(command, said, figure);
  /** @type {{picture: HTMLImageElement, found: Detections}|null} */
  let shown = null;

  const draw = () => {
    if (!shown) return;
    const least = Number(threshold.value);
    const boxes = shown.found.boxes.filter(({ score }) => score >= least);
    said.textContent = `${some(boxes.length, "object")} with a score of ${least.toFixed(2)} or more`;
    fill(figure, found(shown.picture, shown.found, boxes, color));
  };
  const attempt = async (/** @type {File|undefined} */ file) => {
    if (!file) return;
    said.textContent = "Detecting…";
    try {
      const picture = Object.assign(new Image(), { src: URL.createObjectURL(file), alt: "" });
      const answer = await detect(file);
      await picture.decode().catch(() => {}); // a kind that only the server can open
      URL.revokeObjectURL(picture.src);
      shown = { picture, found: answer };
      command.textContent = answer.command;
      command.hidden = false;
      draw();
    } catch (error) {
      shown = null;
      command.hidden = true;
      fill(figure);
      const { message, remedy = "" } = /** @type {any} */ (error);
      said.textContent = `${message} ${remedy}`.trim();
    }
  };
  input.addEventListener("change", () => void attempt(input.files?.[0]));
  threshold.addEventListener("input", draw);
  element.addEventListener("dragover", (event) => { event.preventDefault(); element.classList.add("over"); });
  element.addEventListener("dragleave", () => element.classList.remove("over"));
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    element.classList.remove("over");
    void attempt(event.dataTransfer?.files[0]);
  });
}

/** @param {HTMLImageElement} picture @param {{width: number, height: number}} size
 * @param {Detection[]} boxes
 * @param {(label: string) => string} color */
function found(picture, { width, height }, boxes, color) {
  const scale = Math.min(1, 900 / Math.max(width, height));
  const canvas = h("canvas", { width: width * scale, height: height * scale, role: "img",
    aria: { label: boxes.map(({ label, score }) => `${label} ${score.toFixed(2)}`).join(", ") || "nothing found" } });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  if (picture.naturalWidth) context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  context.font = "600 13px system-ui, sans-serif";
  for (const { box, label, score } of boxes) {
    const [left, top, right, bottom] = box.map((value) => value * scale);
    context.strokeStyle = context.fillStyle = color(label);
    context.lineWidth = 3;
    context.strokeRect(left, top, right - left, bottom - top);
    const text = `${label} ${score.toFixed(2)}`;
    context.fillRect(left - 1.5, Math.max(top - 18, 0), context.measureText(text).width + 8, 18);
    context.fillStyle = "#10141c";
    context.fillText(text, left + 3, Math.max(top - 18, 0) + 13);
  }
  return canvas;
}
