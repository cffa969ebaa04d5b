// The buttons under the image: which are pressed, what key each has, and what a tool waits for.

import { byId } from "../../web/page/dom.js";
import { actionsOf, written } from "./keys.js";

/** @type {Record<import("./gestures.js").Tool, string>} */
const HINTS = {
  select: "",
  draw: "Drag, or press Enter at two corners: arrows move the cross, Shift farther, Alt by one pixel. Esc cancels.",
  extreme: "Click the top, left, bottom and right end of the object, in any order; or arrows and Enter. Esc cancels.",
};

/** @param {string} action @param {boolean} is */
export function pressed(action, is) {
  document.querySelector(`[data-action=${action}]`)?.setAttribute("aria-pressed", String(is));
}

/** @param {import("./gestures.js").Tool} tool */
export function showTool(tool) {
  pressed("draw", tool === "draw");
  pressed("extreme", tool === "extreme");
  byId("hint").textContent = HINTS[tool];
  byId("hint").hidden = tool === "select";
}

/** Buttons tell their keys. @param {string} preset */
export function showKeys(preset) {
  const actions = new Map(actionsOf(preset).map((action) => [action.name, action]));
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("button[data-action]"))) {
    const action = actions.get(button.dataset.action ?? "");
    if (action) button.title = `${action.text} (${action.chords.map(written).join(", ")})`;
  }
}
