// The page of keys, from the table of keys.js.

import { h } from "../../web/page/dom.js";
import { actionsOf, asFile, PRESETS, written } from "./keys.js";

const TITLES = { Go: "Go on", Draw: "Draw", Box: "The selected box", Class: "Classes", Image: "This image",
  See: "See", Studio: "Studio" };

const POINTER = "Wheel or pinch enlarges at the pointer, a double click shows the image's own pixels, and a drag moves it";
const LABELING = "if the right or middle button is down.";
const DRAWING = "While you draw, arrow keys move the cross (Shift: farther, Alt: by one pixel) and Enter sets a corner. "
  + "Dragging a proposal makes it yours.";

/** @param {string} preset @param {(preset: string) => void} choose */
export function showHelp(preset, choose) {
  const select = h("select", { id: "preset", on: { change: () => { choose(select.value); draw(select.value); } } },
    ...Object.entries(PRESETS).map(([value, { title }]) => h("option", { value, selected: value === preset }, title)));
  const tables = h("div", { className: "keys" });
  const save = h("a", { download: "keys.json", href: "" }, "save them as a file");

  /** @param {string} chosen */
  function draw(chosen) {
    const actions = actionsOf(chosen);
    const groups = Object.entries(TITLES).filter(([group]) => actions.some((each) => each.group === group));
    save.href = URL.createObjectURL(new Blob([asFile(chosen)], { type: "application/json" }));
    tables.replaceChildren(...groups.map(([group, title]) => h("section", {},
      h("h3", {}, title),
      h("dl", {}, ...shortened(actions.filter((each) => each.group === group)).flatMap(({ chords, text }) => [
        h("dt", {}, ...chords.flatMap((chord, i) => [i ? " " : "", h("kbd", {}, chord)])),
        h("dd", {}, text)])))));
  }

  draw(preset);
  const dialog = h("dialog", {
    className: "wide", aria: { labelledby: "help-title" }, on: { close: () => dialog.remove() },
  },
    h("h2", { id: "help-title" }, "Keys"),
    preset in PRESETS && h("p", {}, h("label", {}, "Keys like those of ", select), " or ", save,
      ", change it, and start the studio with --keys keys.json"),
    h("p", { className: "faint" },
      preset in PRESETS ? `${POINTER} ${LABELING} ${DRAWING}` : `${POINTER}.`),
    tables,
    h("form", { method: "dialog", className: "answers" }, h("button", { className: "main" }, "Close")));
  document.body.append(dialog);
  dialog.showModal();
}

/** One line for the ten digits, which all do the same.
 * @param {import("./keys.js").Action[]} actions @returns {{chords: string[], text: string}[]} */
function shortened(actions) {
  const lines = actions.filter(({ name }) => !/class-\d$/.test(name))
    .map(({ chords, text }) => ({ chords: chords.map(written), text }));
  if (actions.length && actions[0].group === "Class") {
    lines.unshift({ chords: ["1", "…", "0"], text: "class 1 to 10, also of the selected box" },
      { chords: ["Ctrl+1", "…"], text: "lock a class for all new boxes" });
  }
  return lines;
}
