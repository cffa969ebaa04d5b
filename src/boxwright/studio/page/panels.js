// The panels beside the image: the list of images, the classes, and the table of boxes.

import { fill, h, some } from "./dom.js";
import { FLAGS } from "./edit.js";
import { firstFrom, progress, STATES } from "./images.js";

/** @typedef {import("./edit.js").Editor} Editor */
/** @typedef {import("./images.js").Images} Images */
/** @typedef {import("./images.js").Row} Row */
/** @typedef {(label: string) => string} Color */

const ROW = 52; // pixels, as in style.css
const BEYOND = 6; // rows that are built outside the window
const SIDES = ["left", "top", "right", "bottom"];
const STATE_NAMES = { new: "unlabeled", labeled: "labeled", verified: "verified", aside: "set aside" };

/** The list of images: only rows that are seen are built, of any number. */
export class ImageList {
  /** @param {HTMLElement} element @param {Images} images @param {(index: number) => void} open */
  constructor(element, images, open) {
    this.images = images;
    this.open = open;
    /** @type {number|null} */
    this.current = null;
    this.text = h("input", { type: "search", placeholder: "Search images", id: "image-search",
      aria: { label: "Search images by name" }, on: { input: () => this.#filter() } });
    this.state = h("select", { aria: { label: "Show images that are" }, on: { change: () => this.#filter() } },
      ...Object.entries(STATES).map(([value, { title }]) => h("option", { value }, title)));
    this.label = h("select", { aria: { label: "Show images with the class" }, on: { change: () => this.#filter() } });
    this.count = h("p", { className: "faint", role: "status" });
    this.bar = h("progress", { max: 1, value: 0, aria: { label: "Labeled images" } });
    this.rows = h("div", { className: "rows", role: "listbox", tabIndex: 0, aria: { label: "Images" },
      on: { scroll: () => this.#soon(), keydown: (/** @type {KeyboardEvent} */ event) => this.#key(event) } });
    this.inner = h("div", { className: "rows-inner", role: "presentation" });
    this.rows.append(this.inner);
    element.append(h("div", { className: "filter" }, this.text, this.state, this.label), this.count, this.bar, this.rows);
    this.requested = false;
    new ResizeObserver(() => this.#soon()).observe(this.rows);
    this.classes([]);
  }

  #filter() {
    this.images.choose({ text: this.text.value, state: this.state.value, label: this.label.value });
    this.rows.scrollTop = 0;
  }

  /** @param {string[]} names */
  classes(names) {
    const { value } = this.label;
    fill(this.label, h("option", { value: "" }, "Any class"), ...names.map((name) => h("option", { value: name }, name)));
    this.label.value = names.includes(value) ? value : "";
  }

  /** Rows or the filter have changed. */
  update() {
    const { rows, shown } = this.images;
    const done = progress(rows);
    const all = shown.length === done.total ? "" : `${some(shown.length, "image")} shown, `;
    const text = `${all}${done.labeled.toLocaleString("en")} of ${some(done.total, "image")} labeled`;
    if (this.count.textContent !== text) this.count.textContent = text;
    this.bar.value = done.total ? done.labeled / done.total : 0;
    this.#soon();
    return done;
  }

  /** @param {number|null} index */
  select(index) {
    this.current = index;
    if (index !== null) {
      const at = firstFrom(this.images.shown, index) * ROW;
      const { scrollTop, clientHeight } = this.rows;
      if (at < scrollTop || at + ROW > scrollTop + clientHeight)
        this.rows.scrollTop = Math.max(0, at - clientHeight / 2 + ROW / 2);
    }
    this.#soon();
  }

  #soon() {
    if (this.requested) return;
    this.requested = true;
    requestAnimationFrame(() => {
      this.requested = false;
      this.#draw();
    });
  }

  #draw() {
    const { shown, rows } = this.images;
    const first = Math.max(0, Math.floor(this.rows.scrollTop / ROW) - BEYOND);
    const last = Math.min(shown.length, Math.ceil((this.rows.scrollTop + this.rows.clientHeight) / ROW) + BEYOND);
    this.inner.style.height = `${Math.max(shown.length, 1) * ROW}px`;
    const built = shown.slice(first, last).map((index, i) => this.#row(/** @type {Row} */ (rows[index]), first + i));
    if (!shown.length) built.push(h("p", { className: "nothing faint" }, "No image fits this filter."));
    fill(this.inner, ...built);
    if (this.current !== null && this.inner.querySelector(`#row-${this.current}`))
      this.rows.setAttribute("aria-activedescendant", `row-${this.current}`);
    else this.rows.removeAttribute("aria-activedescendant");
  }

  /** @param {Row} row @param {number} position */
  #row(row, position) {
    const { index, name, state, boxes, blind, proposals } = row;
    const notes = [
      boxes || state !== "new" ? some(boxes, "box", "boxes") : "unlabeled",
      state === "verified" && "verified", state === "aside" && "set aside",
      blind && "test", proposals && state === "new" ? some(proposals, "proposal") : "",
    ].filter(Boolean).join(" · ");
    const element = h("div", {
      id: `row-${index}`, className: `row ${state}`, role: "option", title: name,
      aria: { selected: index === this.current, setsize: this.images.shown.length, posinset: position + 1,
        label: `${name}, ${STATE_NAMES[state]}, ${notes}` },
      on: { click: () => this.open(index) },
    },
    h("img", { src: `/pixels/${index}?side=256`, alt: "", loading: "lazy", width: 56, height: 42 }),
    h("span", { className: "name" }, name), h("span", { className: "notes faint" }, notes));
    element.style.top = `${position * ROW}px`;
    return element;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    if (!step || event.ctrlKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const { shown } = this.images;
    const at = this.current === null ? 0 : firstFrom(shown, this.current) + step;
    const index = shown[Math.min(Math.max(at, 0), shown.length - 1)];
    if (index !== undefined) this.open(index);
  }
}

/** The classes: a digit, a color, and in how many images each is. */
export class ClassPanel {
  /** @param {HTMLElement} element @param {{choose: (name: string, lock: boolean) => void, search: () => void,
   *    manage: () => void}} actions */
  constructor(element, actions) {
    this.actions = actions;
    this.seen = "";
    this.list = h("ul", { className: "classes" });
    element.append(this.list, h("p", { className: "buttons" },
      h("button", { type: "button", on: { click: actions.search } }, "Search or add", h("kbd", {}, "/")),
      h("button", { type: "button", on: { click: actions.manage } }, "Rename, merge, delete…")));
  }

  /** @param {string[]} names @param {Editor} editor @param {Map<string, number>} counts @param {Color} color */
  update(names, editor, counts, color) {
    if (JSON.stringify(names) !== this.seen) this.#build(names, color);
    const current = editor.box?.label ?? editor.label;
    names.forEach((name, i) => {
      const button = /** @type {HTMLElement} */ (this.list.children[i].firstElementChild);
      const [note, count] = [...button.children].slice(-2);
      button.setAttribute("aria-pressed", String(name === current));
      note.textContent = editor.labelLocked && editor.label === name ? "locked" : "";
      count.textContent = (counts.get(name) ?? 0).toLocaleString("en");
    });
  }

  /** @param {string[]} names @param {Color} color */
  #build(names, color) {
    this.seen = JSON.stringify(names);
    fill(this.list, ...names.map((name, i) => {
      const swatch = h("i", { className: "swatch", aria: { hidden: true } });
      swatch.style.background = color(name);
      const choose = (/** @type {MouseEvent} */ event) => this.actions.choose(name, event.ctrlKey);
      return h("li", {}, h("button", { type: "button", className: "class", on: { click: choose } },
        h("kbd", {}, i < 10 ? String((i + 1) % 10) : ""), swatch, h("span", { className: "name" }, name),
        h("span", { className: "note" }), h("span", { className: "faint", title: "images with this class" })));
    }));
    if (!names.length) fill(this.list, h("li", { className: "faint" }, "No class yet: draw a box, and name it."));
  }
}

/** All boxes as a table with numbers that can be edited: who cannot see the image can edit it too. */
export class BoxTable {
  /** @param {HTMLElement} element @param {Editor} editor @param {{holds: Set<string>, color: Color}} options */
  constructor(element, editor, options) {
    this.editor = editor;
    this.options = options;
    this.body = h("tbody");
    this.flags = h("fieldset", { className: "flags", hidden: true });
    element.append(
      h("table", { className: "boxes" },
        h("caption", { className: "unseen" }, "Boxes of this image, in pixels"),
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Class"),
          ...SIDES.map((side) => h("th", { scope: "col" }, side)),
          h("th", { scope: "col" }, h("span", { className: "unseen" }, "Delete")))),
        this.body),
      this.flags);
    /** @type {string[]} */
    this.names = [];
    this.seen = "";
  }

  /** @param {string[]} names */
  update(names) {
    const { editor } = this;
    const now = JSON.stringify([editor.image?.index, editor.boxes, editor.selected, names]);
    if (now === this.seen) return;
    this.seen = now;
    this.names = names;
    const focused = /** @type {HTMLElement|null} */ (document.activeElement)?.dataset?.cell;
    fill(this.body, ...editor.boxes.map((box, i) => this.#row(box, i)));
    if (!editor.boxes.length)
      fill(this.body, h("tr", {}, h("td", { className: "faint", colSpan: 6 }, "No boxes.")));
    this.#showFlags();
    if (focused) /** @type {HTMLElement|null} */ (this.body.querySelector(`[data-cell="${CSS.escape(focused)}"]`))?.focus();
  }

  /** @param {import("./edit.js").Box} box @param {number} i */
  #row(box, i) {
    const { editor } = this;
    const select = () => editor.select(box.key);
    const swatch = h("i", { className: "swatch", aria: { hidden: true } });
    swatch.style.background = this.options.color(box.label);
    const names = this.names.includes(box.label) ? this.names : [...this.names, box.label];
    const label = h("select", {
      aria: { label: `Class of box ${i + 1}` }, data: { cell: `${box.key} label` },
      on: { focus: select, change: () => editor.change(box.key, { label: label.value }) },
    }, ...names.map((name) => h("option", { value: name, selected: name === box.label }, name)));
    const numbers = SIDES.map((side, k) => {
      const input = h("input", {
        type: "number", value: String(Math.round(box.box[k] * 10) / 10), step: "any",
        aria: { label: `${side} of box ${i + 1}` }, data: { cell: `${box.key} ${side}` },
        on: { focus: select, change: () => this.#typed(box, k, input.valueAsNumber) },
      });
      return h("td", {}, input);
    });
    const remove = () => { editor.select(box.key); editor.remove(); };
    return h("tr", { className: box.key === editor.selected ? "selected" : "", on: { click: select } },
      h("th", { scope: "row" }, swatch, label), ...numbers,
      h("td", {}, h("button", { type: "button", className: "small", title: "Delete",
        aria: { label: `Delete box ${i + 1}, ${box.label}` }, on: { click: remove } }, "×")));
  }

  /** @param {import("./edit.js").Box} box @param {number} side @param {number} value */
  #typed(box, side, value) {
    /** @type {import("./geometry.js").Rect} */
    const rect = [...box.box];
    if (Number.isFinite(value)) rect[side] = value;
    this.seen = ""; // show what became of it
    this.editor.reshape(box.key, rect);
  }

  #showFlags() {
    const { editor, options } = this;
    const { box } = editor;
    const known = FLAGS.filter((flag) => options.holds.has(flag));
    this.flags.hidden = !box || !known.length;
    if (!box) return;
    fill(this.flags, h("legend", {}, `This ${box.label} is`), ...known.map((flag) => h("label", {},
      h("input", { type: "checkbox", checked: box[flag], data: { cell: `flag ${flag}` },
        on: { change: () => editor.toggle(flag) } }), flag)));
  }
}
