// The page of a server: try its detectors on an image.

import { colorOf } from "../../web/page/colors.js";
import { byId, fill, h } from "../../web/page/dom.js";
import { tryImages } from "../../web/page/try.js";

/** @typedef {{name: string, ready: boolean, classes: string[], threshold: number}} Model */
/** @typedef {{class: string, score: number, box: number[]}} Found */

/** @type {Map<string, Model>} */
let models = new Map();
const [choice, token, problem] = [byId("model"), byId("token"), byId("problem")];

/** The answer to a request, as JSON. @param {string} address @param {RequestInit} [options] */
async function asked(address, options = {}) {
  const headers = token.value ? { Authorization: `Bearer ${token.value}` } : {};
  const response = await fetch(address, { ...options, headers });
  byId("token-field").hidden &&= response.status !== 401;
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

/** @param {string} label */
const color = (label) => colorOf((models.get(choice.value)?.classes ?? []).indexOf(label));

function describe() {
  const model = models.get(choice.value);
  if (!model) return;
  byId("name").textContent = model.name;
  const swatch = (/** @type {string} */ label) => {
    const box = h("i", { className: "swatch", aria: { hidden: true } });
    box.style.background = color(label);
    return h("li", {}, box, label);
  };
  fill(byId("classes"), ...model.classes.map(swatch));
  const range = /** @type {HTMLInputElement} */ (document.querySelector("#try input[type=range]"));
  range.value = String(model.threshold);
}

async function load() {
  try {
    const answer = await asked("/models");
    models = new Map(answer.models.map((/** @type {Model} */ model) => [model.name, model]));
    fill(choice, ...[...models.keys()].map((value) => h("option", { value }, value)));
    byId("model-field").hidden = models.size < 2;
    problem.textContent = "";
    describe();
  } catch (error) {
    problem.textContent = /** @type {Error} */ (error).message;
  }
}

/** @param {File} file */
async function detect(file) {
  const query = new URLSearchParams(models.size > 1 ? { model: choice.value } : {});
  const address = new URL(`/detect?${query}`, location.href);
  const answer = await asked(`${address}${query.size ? "&" : ""}score=0`, { method: "POST", body: file });
  const boxes = answer.detections.map((/** @type {Found} */ { class: label, score, box }) => ({ label, score, box }));
  const command = `curl --data-binary @${file.name} "${String(address).replace(/\?$/, "")}"`;
  return { width: answer.width, height: answer.height, boxes, command };
}

choice.addEventListener("change", describe);
token.addEventListener("change", () => void load());
tryImages(byId("try"), detect, color);
void load();
