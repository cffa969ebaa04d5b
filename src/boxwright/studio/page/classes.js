// Choosing a class by its name, and renaming, merging and deleting classes everywhere.

import { ask, fill, h, some } from "../../web/page/dom.js";

/** Classes that fit what was typed: first those that begin with it.
 * @param {string[]} names @param {string} text */
export function matching(names, text) {
  const wanted = text.trim().toLowerCase();
  const rank = (/** @type {string} */ name) => {
    const at = name.toLowerCase().indexOf(wanted);
    return at < 0 ? 3 : name.toLowerCase() === wanted ? 0 : at === 0 ? 1 : 2;
  };
  return names.map((name, i) => ({ name, i, rank: rank(name) })).filter((each) => each.rank < 3)
    .sort((a, b) => a.rank - b.rank || a.i - b.i).map(({ name }) => name);
}

/** Ask for a class: one of the names, or a new one.
 * @param {string[]} names @param {(name: string) => string} color
 * @returns {Promise<string|null>} null if none was chosen */
export function chooseClass(names, color) {
  return new Promise((resolve) => {
    let at = 0;
    /** @type {string[]} */
    let options = [];
    const list = h("ul", { id: "class-options", role: "listbox", className: "options", aria: { label: "Classes" } });
    const input = h("input", {
      type: "text", role: "combobox", autocomplete: "off", spellcheck: false, placeholder: "Name of the class",
      aria: { label: "Search or add a class", controls: "class-options", expanded: true, autocomplete: "list" },
      on: { input: () => { at = 0; show(); }, keydown: (/** @type {KeyboardEvent} */ event) => key(event) },
    });
    const dialog = h("dialog", {
      className: "chooser", aria: { label: "Class" },
      on: { close: () => { dialog.remove(); resolve(dialog.returnValue || null); } },
    }, input, list);

    /** @param {string} name */
    const choose = (name) => dialog.close(name);

    /** @param {KeyboardEvent} event */
    function key(event) {
      event.stopPropagation();
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step && options.length) {
        event.preventDefault();
        at = (at + step + options.length) % options.length;
        show();
      } else if (event.key === "Enter") {
        event.preventDefault();
        if (options[at]) choose(options[at]);
      }
    }

    function show() {
      const typed = input.value.trim();
      const found = matching(names, typed);
      options = typed && !names.includes(typed) ? [...found, typed] : found;
      fill(list, ...options.map((name, i) => {
        const swatch = h("i", { className: "swatch", aria: { hidden: true } });
        const isNew = !names.includes(name);
        if (!isNew) swatch.style.background = color(name);
        return h("li", { id: `class-option-${i}`, role: "option", aria: { selected: i === at },
          on: { click: () => choose(name) } }, swatch, isNew ? `Add the class “${name}”` : name);
      }));
      if (!options.length) {
        const aria = { disabled: true, selected: false };
        fill(list, h("li", { className: "faint", role: "option", aria }, "Type a name"));
      }
      input.setAttribute("aria-activedescendant", options.length ? `class-option-${at}` : "");
      list.children[at]?.scrollIntoView({ block: "nearest" });
    }

    document.body.append(dialog);
    show();
    dialog.showModal();
    input.focus();
  });
}

const SHOWN = 5; // images that could not be changed

/** @typedef {{images: number, boxes: number, left: string[]} & import("./store.js").Classes} Change */

/** @param {any} problem */
const inWords = ({ message, remedy }) => [message, remedy].filter(Boolean).join(" ");

/** Rename, merge and delete classes in all images, each after a preview.
 * @param {import("./store.js").Server} server @param {() => string[]} names
 * @param {(change: Change) => void} changed */
export function manageClasses(server, names, changed) {
  const said = h("p", { role: "status" });
  const list = h("ul", { className: "managed" });
  const dialog = h("dialog", {
    className: "wide", aria: { labelledby: "manage-title" }, on: { close: () => dialog.remove() },
  },
    h("h2", { id: "manage-title" }, "Classes in all images"), list, said,
    h("form", { method: "dialog", className: "answers" },
      h("button", { type: "button", on: { click: () => apply({ action: "undo" }, "Undone") } }, "Undo the last change"),
      h("button", { className: "main" }, "Done")));

  /** @param {Record<string, unknown>} body @param {string} done */
  async function apply(body, done) {
    try {
      const change = await server.post("/api/classes", body);
      const left = change.left.length
        ? `. Not changed: ${some(change.left.length, "image")}. ${change.left.slice(0, SHOWN).join(" ")}` : "";
      said.textContent = `${done}: ${some(change.boxes, "box", "boxes")} in ${some(change.images, "image")}${left}`;
      changed(change);
      show();
    } catch (error) {
      said.textContent = inWords(error);
    }
  }

  /** @param {Record<string, unknown>} body @param {string} question @param {string} verb @param {string} done */
  async function preview(body, question, verb, done) {
    try {
      const change = await server.post("/api/classes", { ...body, preview: true });
      const what = `${some(change.boxes, "box", "boxes")} in ${some(change.images, "image")} will change.`;
      const answer = await ask(question, [h("p", {}, what)],
        [{ label: verb, value: "yes", main: true }, { label: "Cancel", value: "" }]);
      if (answer) await apply(body, done);
    } catch (error) {
      said.textContent = inWords(error);
    }
  }

  /** @param {string} name @param {string} to */
  function rename(name, to) {
    if (!to || to === name) return;
    const [action, verb, toward] = names().includes(to) ? ["merge", "Merge", "into"] : ["rename", "Rename", "to"];
    const question = `${verb} “${name}” ${toward} “${to}”?`;
    void preview({ action, name, to }, question, verb, `${verb}d ${toward} “${to}”`);
  }

  function show() {
    fill(list, ...names().map((name) => {
      const input = h("input", { type: "text", value: name, aria: { label: `New name of ${name}` } });
      const remove = () => preview({ action: "delete", name }, `Delete “${name}” with all its boxes?`, "Delete",
        `Deleted “${name}”`);
      return h("li", {}, h("form", {
        on: { submit: (/** @type {Event} */ event) => {
          event.preventDefault();
          rename(name, input.value.trim());
        } },
      },
      input, h("button", { title: "The name of another class merges the two" }, "Rename or merge"),
      h("button", { type: "button", aria: { label: `Delete ${name} and its boxes` }, on: { click: remove } },
        "Delete")));
    }));
    if (!names().length) fill(list, h("li", { className: "faint" }, "No classes yet."));
  }

  document.body.append(dialog);
  show();
  dialog.showModal();
}
