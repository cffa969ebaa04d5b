// The page of a server: try its detectors on an image.

import { colorOf } from "../../web/page/colors.js";
import { byId, fill, h } from "../../web/page/dom.js";
import { tryImages } from "../../web/page/try.js";

/** @typedef {{name: string, ready: boolean, classes?: string[], thresholds?: Record<string, number>}} Model */
/** @typedef {{class: string, score: number, box: number[]}} Found */

/** @type {Map<string, Model>} */
let models = new Map();
const choice = /** @type {HTMLSelectElement} */ (byId("model"));
const problem = byId("problem");

/** The answer to a request, as JSON. @param {string} address @param {RequestInit} [options] */
async function asked(address, options) {
  const response = await fetch(address, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

/** @param {string} label */
const color = (label) => colorOf(Math.max(0, models.get(choice.value)?.classes?.indexOf(label) ?? 0));

function describe() {
  const model = models.get(choice.value);
  if (!model) return;
  const { classes, thresholds } = model; // of one that is ready
  problem.textContent = classes ? "" : "This detector is being loaded. Open the page again in a moment.";
  byId("name").textContent = model.name;
  const swatch = (/** @type {string} */ label) => {
    const box = h("i", { className: "swatch", aria: { hidden: true } });
    box.style.background = color(label);
    return h("li", {}, box, label);
  };
  fill(byId("classes"), ...(classes ?? []).map(swatch));
  const range = /** @type {HTMLInputElement} */ (document.querySelector("#try input[type=range]"));
  if (thresholds) range.value = String(Math.min(...Object.values(thresholds)));
}

async function load() {
  try {
    const answer = await asked("/models");
    models = new Map(answer.models.map((/** @type {Model} */ model) => [model.name, model]));
    fill(choice, ...[...models.keys()].map((value) => h("option", { value }, value)));
    byId("model-field").hidden = models.size < 2;
    describe();
  } catch (error) {
    problem.textContent = /** @type {Error} */ (error).message;
  }
}

/** @param {File} file */
async function detect(file) {
  await loaded;
  const address = new URL("/detect", location.href);
  if (models.size > 1) address.searchParams.set("model", choice.value);
  const command = `curl --data-binary ${quoted(`@${file.name}`)} ${quoted(String(address))}`;
  address.searchParams.set("score", "0"); // the slider selects
  const answer = await asked(String(address), { method: "POST", body: file });
  const boxes = answer.detections.map((/** @type {Found} */ { class: label, score, box }) => ({ label, score, box }));
  return { width: answer.width, height: answer.height, boxes, command };
}

/** A word of a command line. @param {string} word */
const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

choice.addEventListener("change", describe);
const loaded = load();
tryImages(byId("try"), detect, color);
